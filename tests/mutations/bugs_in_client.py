"""Bugs in the client and the `billing` command: what users learn of their money and logins."""

from __future__ import annotations

BUGS_IN_CLIENT = """
--- client/billing_client/transport.py
caught by tests/integration/client/test_client_connections.py

any_certificate_accepted: I7
caught by ::test_a_server_that_can_not_prove_its_name_is_told_nothing
-        self._http = http or httpx.Client(follow_redirects=False, verify=tls)
+        self._http = http or httpx.Client(follow_redirects=False, verify=False)

password_follows_a_redirect: I7
caught by ::test_a_redirect_is_not_followed
-        self._http = http or httpx.Client(follow_redirects=False, verify=tls)
+        self._http = http or httpx.Client(follow_redirects=True, verify=tls)

--- client/billing_client/transport.py
caught by tests/unit/client/test_billing_outcomes.py

broken_encoding_is_a_crash: I4
caught by tests/unit/client/test_client_faults.py::test_temporary_trouble_is_waited_out
-        except httpx.RequestError as error:
+        except httpx.TransportError as error:

--- client/billing_client/client.py
caught by tests/unit/client/test_client_payments.py

payment_sent_before_it_is_stored: I4
caught by ::test_a_payment_is_made_once_and_pending_until_its_outcome_is_known
-        self.pending_payments.keep(pending)
         try:
             return self._paid(pending)
         except BillingError as error:

open_payment_forgotten: I4
caught by ::test_a_payment_with_an_uncertain_outcome_stays_pending
-            if error.pending is None:
-                self._forget(pending)
+            self._forget(pending)

resumed_payment_forgotten_by_any_rejection: I4
caught by ::test_a_rejection_that_says_nothing_of_the_first_request_leaves_it_open
-            if rejected.code in NOT_ABOUT_THE_PAYMENT:
-                raise rejected.with_pending(pending) from rejected

--- client/billing_client/client.py
caught by tests/unit/client/test_billing_outcomes.py

rejection_of_another_resident_believed: I4 I6
caught by ::test_the_rejection_of_another_resident_says_nothing_about_a_payment
-            if session is None or session.subject == begun.subject:
-                raise
+            raise

renewal_replaces_another_login: I7
caught by ::test_a_renewal_that_comes_late_replaces_no_other_login
-        if self._sessions.replace(session, renewed):
-            return renewed
+        self._sessions.save(renewed)
+        return renewed

--- client/billing_client/files.py
caught by tests/unit/client/test_billing_files.py

files_readable_by_others: I7
caught by ::test_files_and_folders_are_private
-            one.mkdir(mode=0o700, exist_ok=True)
+            one.mkdir(exist_ok=True)

session_replaced_whosever_it_is: I7
caught by tests/unit/client/test_billing_outcomes.py::test_a_renewal_replaces_no_session_but_its_own
-            if not is_session(self.load(), old):
-                return False

--- client/billing_client/request_reply.py
caught by tests/unit/client/test_client_payments.py

nonsense_for_an_answer_means_not_accepted: I4
caught by ::test_a_payment_is_made_once_and_pending_until_its_outcome_is_known
-    return isinstance(error, UnexpectedAnswer)
+    return False

--- client/billing_client/request_reply.py
caught by tests/unit/client/test_billing_outcomes.py

firewall_means_not_accepted: I4
caught by ::test_an_answer_of_somebody_else_leaves_a_payment_open
-        return not error.from_gateway or error.http_status >= 500
+        return error.http_status >= 500

--- client/billing_client/reply_queue.py
caught by tests/unit/client/test_client_faults.py

reply_to_another_request_deleted: I5
caught by ::test_replies_to_other_requests_stay_on_the_queue
-            if reply.request_id in self._done:
+            if reply.request_id not in self._open and self._done:

--- client/billing_client/reply_queue.py
caught by tests/unit/client/test_reply_queue.py

parts_of_two_answers_joined: I5
caught by ::test_a_reply_is_assembled_from_the_parts_of_one_answer
-        return self.status, self.parts, (self.data or {}).get("version")
+        return self.status, self.parts, None

--- client/billing_client/cli/context.py
caught by tests/unit/client/test_billing_outcomes.py

outcome_forgotten_before_it_is_shown: I4
caught by ::test_a_receipt_that_could_not_be_shown_is_shown_by_the_next_run
-        self._known.append(pending)
+        self._known.append(pending)
+        self._payments.forget(pending)

--- client/billing_client/cli/exit_codes.py
caught by tests/unit/client/test_billing_outcomes.py

open_outcome_ends_like_a_failure: I4 I6
caught by ::test_the_same_command_again_ends_with_the_receipt_of_the_first
-        return OPEN
+        return FAILED

--- client/billing_client/cli/pay.py
caught by tests/unit/client/test_billing_outcomes.py

no_bill_means_the_only_one: I2
caught by tests/unit/client/test_billing_errors.py::test_wrong_usage_ends_with_2
-        if not re.fullmatch(r"[0-9a-fA-F]{4}[0-9a-fA-F-]{0,32}", start):
+        if not re.fullmatch(r"[0-9a-fA-F-]{0,36}", start):

unselected_bills_paid_too: I2
caught by tests/unit/client/test_billing_command.py::test_options_select_the_bills_to_pay
-    selected = [debt for debt in debts if debt in matching]
+    selected = list(debts)

earlier_outcome_lost_by_a_later_error: I4
caught by ::test_the_outcome_of_an_earlier_payment_is_told_whatever_comes_after_it
-        if context.terminal.as_json and outcome.resumed:
+        if context.terminal.as_json and outcome.receipt:
"""
