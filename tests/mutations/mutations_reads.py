"""Bugs that would show an old debt or a wrong history, or wait for Redis."""

from __future__ import annotations

from tests.mutations.mutation import Mutation

CACHE = "tests/contract/test_cache_contract.py"
LOCKS = "tests/integration/sql/test_sql_locks.py"
SQL_HISTORY = "tests/integration/sql/test_sql_history.py"
HISTORY = "tests/unit/billing_app/test_history.py"
CACHED = "tests/unit/billing_app/test_cached_ledger.py"
OPERATIONS = "tests/unit/chalicelib/test_operations.py"

READS = (
    Mutation(
        name="cache_read_without_the_version",
        endangers=("I9",),
        file="billing_app/adapters/cached_ledger.py",
        old="if cached is not None and cached.version == access.version:",
        new="if cached is not None:",
        caught_by=(
            f"{CACHED}::test_cached_debts_are_shown_to_each_resident_while_their_version_is_current",
            f"{CACHED}::test_a_cached_history_is_shown_only_while_its_version_is_current",
        ),
    ),
    Mutation(
        name="result_stored_under_a_later_version",
        endangers=("I9",),
        file="billing_app/adapters/cached_ledger.py",
        old="            result = CachedResult(computed.version, question.write(computed))\n",
        new=(
            "            now = self._ledger.access(\n"
            "                subject=question.subject, apartment_id=question.apartment_id\n"
            "            )\n"
            "            result = CachedResult((now or access).version, question.write(computed))\n"
        ),
        caught_by=(
            f"{CACHED}::test_debts_that_were_paid_while_they_were_read_are_not_shown_again",
        ),
    ),
    Mutation(
        name="entry_of_another_key_believed",
        endangers=("I9", "I7"),
        file="billing_app/adapters/redis_cache.py",
        old="stored_key != key or ",
        new="",
        caught_by=(CACHE,),
    ),
    Mutation(
        name="redis_waited_for_without_end",
        endangers=("I12",),
        file="billing_app/adapters/redis_cache.py",
        old="        socket_timeout=TIMEOUT_SECONDS,\n",
        new="        socket_timeout=None,\n",
        caught_by=(f"{CACHE}::test_a_redis_that_hangs_is_given_up_on_and_then_left_alone",),
    ),
    Mutation(
        name="redis_asked_again_and_again",
        endangers=("I12",),
        file="billing_app/adapters/redis_cache.py",
        old="retry=Retry(NoBackoff(), 0)",
        new="retry=Retry(NoBackoff(), 3)",
        caught_by=(CACHE,),
    ),
    Mutation(
        name="breaker_never_opens",
        endangers=("I12",),
        file="billing_app/adapters/redis_cache.py",
        old="        self._closed_again_at = self._now() + _OPEN_SECONDS\n",
        new="        self._closed_again_at = self._now()\n",
        caught_by=(CACHE,),
    ),
    Mutation(
        name="stamped_when_the_transaction_began",
        endangers=("I8",),
        file="sql/functions/internal/history.sql",
        old="greatest(clock_timestamp(), last_posted_at",
        new="greatest(now(), last_posted_at",
        caught_by=(LOCKS,),
    ),
    Mutation(
        name="instants_follow_the_clock_back",
        endangers=("I8", "I10"),
        file="sql/functions/internal/history.sql",
        old="greatest(clock_timestamp(), last_posted_at + interval '1 microsecond')",
        new="clock_timestamp()",
        caught_by=(SQL_HISTORY,),
    ),
    Mutation(
        name="known_frame_is_closed",
        endangers=("I10",),
        file="sql/functions/internal/history.sql",
        old="posted_at >= p_at",
        new="posted_at > p_at",
        caught_by=(SQL_HISTORY,),
    ),
    Mutation(
        name="covered_frame_is_closed",
        endangers=("I10",),
        file="billing_app/domain/history.py",
        old="event.posted_at + TICK, event.seq",
        new="event.posted_at, event.seq",
        caught_by=(f"{HISTORY}::test_each_step_covers_its_own_event",),
    ),
    Mutation(
        name="page_ends_without_more",
        endangers=("I10",),
        file="sql/functions/api/history.sql",
        old="    SELECT count(*) > p_limit,\n",
        new="    SELECT false,\n",
        caught_by=(SQL_HISTORY,),
    ),
    Mutation(
        name="history_from_two_snapshots",
        endangers=("I8", "I10"),
        file="sql/functions/api/history.sql",
        old="LANGUAGE plpgsql STABLE SECURITY DEFINER",
        new="LANGUAGE plpgsql VOLATILE SECURITY DEFINER",
        caught_by=(LOCKS,),
    ),
    Mutation(
        name="frame_of_lost_history_accepted",
        endangers=("I10",),
        file="billing_app/use_cases/history.py",
        old="        if not page.known_end_exists:\n",
        new="        if False:\n",
        caught_by=(f"{HISTORY}::test_a_frame_beyond_the_last_posting_is_not_ours",),
    ),
    Mutation(
        name="renamed_provider_moves_no_version",
        endangers=("I9",),
        file="sql/functions/api/bills.sql",
        old="        PERFORM billing.bump_version(debtor) FROM unnest(debtors) AS t (debtor);\n",
        new="",
        caught_by=("tests/integration/sql/test_sql_residents.py",),
    ),
    Mutation(
        name="debts_with_paid_bills",
        endangers=("I9",),
        file="sql/functions/internal/payments.sql",
        old="    DELETE FROM billing.open_bills WHERE bill_id = ANY (p_bill_set);\n",
        new="",
        caught_by=("tests/integration/sql/test_sql_pay.py",),
    ),
    Mutation(
        name="older_history_skipped",
        endangers=("I10",),
        file="billing_app/use_cases/history.py",
        old="        if held.date_down == page.visible_from:\n",
        new="        if True:\n",
        caught_by=(f"{HISTORY}::test_a_client_that_holds_the_end_alone_is_sent_what_is_older",),
    ),
    Mutation(
        name="range_kept_that_may_not_be_seen",
        endangers=("I10",),
        file="billing_app/use_cases/history.py",
        old="return Position(max(start.date_down, floor), max(start.date_up, floor), ",
        new="return Position(start.date_down, start.date_up, ",
        caught_by=(f"{HISTORY}::test_what_a_resident_may_no_longer_see_is_not_covered",),
    ),
    Mutation(
        name="last_part_says_there_is_no_more",
        endangers=("I10",),
        file="chalicelib/serializers.py",
        old='"more": update.more if last else True,',
        new='"more": not last,',
        caught_by=(f"{OPERATIONS}::test_the_last_part_says_that_there_is_more_to_ask_for",),
    ),
)
