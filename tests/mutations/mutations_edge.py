"""Bugs between queue and function: what is answered, when, and what SQS may delete."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

BATCH = "tests/unit/chalicelib/test_batch.py"
WORKER = "tests/integration/local/test_worker.py"

EDGE = (
    Mutation(
        name="reply_before_work",
        endangers=("I4", "I6"),
        file="chalicelib/batch.py",
        old="        outcome, acknowledged = self._outcome(request)\n",
        new=(
            "        self._reply(request, replies.done(operation, ['{}']))\n"
            "        outcome, acknowledged = self._outcome(request)\n"
        ),
        caught_by=(BATCH,),
    ),
    Mutation(
        name="delete_before_work",
        endangers=("I5",),
        file="tools/local/worker.py",
        old=(
            "            failed = self._failed(messages)\n"
            '            self._delete([m for m in messages if m["MessageId"] not in failed])\n'
        ),
        new="            self._delete(messages)\n            self._failed(messages)\n",
        caught_by=(WORKER,),
    ),
    Mutation(
        name="exception_counts_as_success",
        endangers=("I5",),
        file="tools/local/worker.py",
        old="            return set(ids)\n",
        new="            return set()\n",
        caught_by=(WORKER,),
    ),
    Mutation(
        name="batch_failure_swallowed",
        endangers=("I5",),
        file="chalicelib/batch.py",
        old='return {"batchItemFailures": failures}',
        new='return {"batchItemFailures": failures[:0]}',
        caught_by=(BATCH,),
    ),
    Mutation(
        name="lost_reply_is_forgotten",
        endangers=("I5",),
        file="chalicelib/batch.py",
        old="acknowledged = self._reply(request, outcome) and acknowledged",
        new="acknowledged = self._reply(request, outcome) or acknowledged",
        caught_by=(BATCH,),
    ),
    Mutation(
        name="unsent_reply_counts_as_sent",
        endangers=("I5",),
        file="billing_app/adapters/reply_queues.py",
        old='        raise Unavailable(f"sqs: {name}") from error\n',
        new="        return {}  # type: ignore[return-value]\n",
        caught_by=("tests/contract/test_reply_queues_contract.py",),
    ),
    Mutation(
        name="payment_said_to_have_failed",
        endangers=("I6",),
        file="chalicelib/operations.py",
        old='        unknown_outcome="payment_outcome_unknown",\n',
        new='        unknown_outcome="internal_error",\n',
        caught_by=(BATCH,),
    ),
    Mutation(
        name="password_rests_in_a_dead_letter",
        endangers=("I11",),
        file="chalicelib/operations.py",
        old="        dead_letters=False,\n",
        new="        dead_letters=True,\n",
        caught_by=(BATCH,),
    ),
    Mutation(
        name="exception_text_logged",
        endangers=("I11",),
        file="chalicelib/logs.py",
        old='        "error": type(error).__name__,\n',
        new='        "error": f"{type(error).__name__}: {error}",\n',
        caught_by=(BATCH,),
    ),
    Mutation(
        name="sweeper_ignores_the_registry",
        endangers=("I5",),
        file="billing_app/use_cases/sweep.py",
        old="[name for name in _listed(queues) if not registry.is_registered(name=name)]",
        new="_listed(queues)",
        caught_by=("tests/unit/billing_app/test_sweep.py",),
    ),
    Mutation(
        name="sweeper_takes_full_queues",
        endangers=("I5",),
        file="billing_app/adapters/reply_queues.py",
        old=" and not any(attributes.values())",
        new="",
        caught_by=("tests/contract/test_reply_queues_contract.py",),
    ),
    Mutation(
        name="last_receive_answers_nothing",
        endangers=("I5",),
        file="chalicelib/batch.py",
        old="            if request.receive_count < self._max_receive_count:\n",
        new="            if request.receive_count <= self._max_receive_count:\n",
        caught_by=(BATCH,),
    ),
    Mutation(
        name="body_logged",
        endangers=("I11",),
        file="chalicelib/batch.py",
        old='                "parts": len(outcome.parts) if outcome else 0,\n',
        new=(
            '                "parts": len(outcome.parts) if outcome else 0,\n'
            '                "body": dict(request.fields),\n'
        ),
        caught_by=(BATCH,),
    ),
    Mutation(
        name="reply_data_logged",
        endangers=("I11",),
        file="chalicelib/batch.py",
        old='                "parts": len(outcome.parts) if outcome else 0,\n',
        new='                "parts": list(outcome.parts) if outcome else [],\n',
        caught_by=(BATCH,),
    ),
    Mutation(
        name="tokens_kept_as_long_as_other_replies",
        endangers=("I7", "I11"),
        file="chalicelib/operations.py",
        old="        reply_retention=timedelta(minutes=5),\n",
        new="        reply_retention=timedelta(minutes=15),\n",
        caught_by=(BATCH,),
    ),
    Mutation(
        name="queue_in_use_not_registered_anew",
        endangers=("I5",),
        file="billing_app/adapters/reply_queues.py",
        old="        if known is not None and known[1] + _RENEW_AFTER > self._clock():\n",
        new="        if known is not None:\n",
        caught_by=("tests/contract/test_reply_queues_contract.py",),
    ),
    Mutation(
        name="gone_queue_not_made_again",
        endangers=("I5",),
        file="billing_app/adapters/reply_queues.py",
        old="                self._known.pop(name, None)\n                url",
        new="                url",
        caught_by=("tests/contract/test_reply_queues_contract.py",),
    ),
)
