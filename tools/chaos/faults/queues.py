"""What SQS may do at any time: twice, late, not, perhaps, and again."""

from __future__ import annotations

from abc import abstractmethod

from tools.chaos.faults.base import Fault
from tools.chaos.proxies import Call, Forward, Message, Rule, sqs


class SqsFault(Fault):
    """Bends SQS's answers by a rule while it lasts."""

    def begin(self) -> None:
        """Bend."""
        self._rule = self.rule()
        self.stage.servers.aws_door.add(self._rule)

    def end(self) -> None:
        """Bend no more."""
        self.stage.servers.aws_door.remove(self._rule)

    @abstractmethod
    def rule(self) -> Rule:
        """Return the rule."""


class SqsDuplicate(SqsFault):
    """Delivers messages twice."""

    name = "sqs_duplicate"
    summary = "messages sent twice, or shown to a second worker while the first works on them"
    variants = ("sent", "received")

    def rule(self) -> Rule:
        """Double requests and replies."""
        twice = sqs.duplicate if self.variant == "sent" else sqs.redeliver
        return twice(self.sometimes(0.5))


class SqsLate(SqsFault):
    """Delivers messages late, so that others overtake them."""

    name = "sqs_late"
    summary = "messages shown seconds after they were sent, so that later ones overtake them"

    def rule(self) -> Rule:
        """Delay each other one, each by its own time."""
        some = self.sometimes(0.5)

        def late(call: Call, forward: Forward) -> Message | None:
            return sqs.late(self.rng.randint(1, 3), some)(call, forward)

        return late


class SqsSendFailed(SqsFault):
    """Takes nothing."""

    name = "sqs_send_failed"
    summary = "SendMessage answered 500, nothing sent: requests and replies"

    def rule(self) -> Rule:
        """Fail most sends, so that a retry seldom helps."""
        return sqs.failed_send(self.sometimes(0.8))


class SqsSendAmbiguous(SqsFault):
    """Takes messages and doesn't say so."""

    name = "sqs_send_ambiguous"
    summary = "SendMessage done, yet answered 500, or the connection cut instead of an answer"
    variants = ("500", "cut")

    def rule(self) -> Rule:
        """Do so with most sends."""
        return sqs.ambiguous_send(self.sometimes(0.7), cut=self.variant == "cut")


class SqsDeleteLost(SqsFault):
    """Says that messages are deleted, and keeps them."""

    name = "sqs_delete_lost"
    summary = "deletes answered 200 and not done: the message comes back"

    def rule(self) -> Rule:
        """Lose most deletes."""
        return sqs.lost_delete(self.sometimes(0.7))
