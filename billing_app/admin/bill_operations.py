"""Operations on many bills: importing."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_type_hints

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from billing_app.admin.arguments import OPTIONAL, follows, text_field
from billing_app.admin.bill_files import checked
from billing_app.admin.formatting import plain
from billing_app.admin.operation import AdminOperation, Json
from billing_app.domain.bill_lines import COLUMNS, EXAMPLE_FILE, PROFILES, BillLine, Row
from billing_app.domain.errors import Rejection
from billing_app.domain.limits import MAX_AMOUNT_MINOR, MAX_LINES
from billing_app.ports.operator_ledger import AdminContext, BillBatch
from billing_app.use_cases.imports import ImportSummary, import_bills

# An answer of a Lambda function holds 6 MB.
MAX_REJECTED_LINES = 1000


def _issued_field(name: str, kind: type) -> fields.Field[Any]:
    """Make the field of a value that was read from a cell; texts follow the rule of their cells."""
    checks: list[Callable[[Any], Any]] = []
    if name == "amount_minor":
        checks = [validate.Range(1, MAX_AMOUNT_MINOR)]
    elif kind is str:
        checks = [follows(COLUMNS[name].read)]
    strict: dict[str, Any] = {"strict": True} if kind is int else {}
    return Schema.TYPE_MAPPING[kind](required=True, validate=checks, **strict)


_IssuedFields = Schema.from_dict(
    {name: _issued_field(name, kind) for name, kind in get_type_hints(BillLine).items()}
)


# mypy can't follow a base class that is made while the module is read.
class IssuedLine(_IssuedFields):  # type: ignore[valid-type,misc]
    """A line that was read elsewhere already; the amount is in minor units."""

    @validates_schema
    def period_runs_forward(self, data: dict[str, Any], **_: Any) -> None:
        """Compare the ends of the period."""
        if data["period_to"] < data["period_from"]:
            raise ValidationError("before period_from", "period_to")

    @post_load
    def to_bill_line(self, data: dict[str, Any], **_: Any) -> BillLine:
        """Put the fields together, texts as they would be read from a cell."""
        texts = {key: COLUMNS[key].read(text) for key, text in data.items() if type(text) is str}
        return BillLine(**{**data, **texts})


class ImportBills(Schema):
    """A file as `text`, or a batch of `lines` that were read elsewhere; one of the two."""

    text = fields.String(**OPTIONAL)
    file_name = text_field(load_default="bills.csv")
    dry_run = fields.Boolean(load_default=False)
    allow_duplicates = fields.Boolean(load_default=False)
    delimiter = fields.String(**OPTIONAL)
    profile = fields.String(load_default=PROFILES[0], validate=validate.OneOf(PROFILES))
    lines = fields.List(
        fields.Nested(IssuedLine), load_default=None, validate=validate.Length(1, MAX_LINES)
    )
    import_id = fields.UUID(**OPTIONAL)
    sha256 = fields.String(**OPTIONAL, validate=validate.Regexp(r"\A[0-9a-f]{64}\Z"))

    @validates_schema
    def one_form(self, data: dict[str, Any], **_: Any) -> None:
        """Take text or lines, not both."""
        if (data["text"] is None) == (data["lines"] is None):
            raise ValidationError("give either text or lines", "text")
        if data["lines"] and not (data["import_id"] and data["sha256"]):
            raise ValidationError("lines come with import_id and sha256", "lines")


def _import_bills(given: Json, context: AdminContext) -> object:
    source = BillBatch(
        import_id=given["import_id"] or context.new_id(),
        file_name=given["file_name"],
        sha256=given["sha256"] or "",
        dry_run=given["dry_run"],
        allow_duplicates=given["allow_duplicates"],
        lines=tuple(given["lines"] or ()),
    )
    if source.lines:
        return {"lines": context.ledger.issue_bills(batch=source)}
    return _import_text(given, source, context)


def _import_text(given: Json, source: BillBatch, context: AdminContext) -> object:
    content = io.BytesIO(given["text"].encode("utf-8", "surrogatepass"))
    file = checked(content, name=source.file_name)
    source = replace(source, sha256=file.sha256)
    summary = ImportSummary(source.import_id, source.dry_run)
    rejected_rows: list[Row] = []
    rows = file.rows(delimiter=given["delimiter"], profile=given["profile"])
    for batch in import_bills(rows=rows, source=source, ledger=context.ledger):
        for imported in batch:
            summary.add(imported)
            if imported.result == "rejected":
                rejected_rows.append(imported.row)
    data = summary_data(summary, rejected_rows[:MAX_REJECTED_LINES])
    if rejected_rows:
        raise Rejection("lines_rejected", data=data)
    return data


def summary_data(summary: ImportSummary, rejected_rows: list[Row]) -> Json:
    """Return an import's counts, with its first rejected rows."""
    results = ("issued", "revised", "already_present", "rejected")
    return {
        "import_id": summary.import_id,
        "dry_run": summary.dry_run,
        **{one: summary.results[one] for one in results},
        "problems": dict(summary.problems),
        "rejected_lines": [_row_data(row) for row in rejected_rows],
        "rejected_lines_left_out": summary.rejected - len(rejected_rows),
    }


def _row_data(row: Row) -> Json:
    problems = [{**plain(one), "message": one.message} for one in row.problems]
    return {"line": row.line, "problems": problems, "cells": row.cells}


BILL_OPERATIONS = (
    AdminOperation(
        name="import_bills",
        function="import_bills",
        schema=ImportBills(),
        work=_import_bills,
        example={"file_name": "bills.csv", "text": EXAMPLE_FILE},
    ),
)
