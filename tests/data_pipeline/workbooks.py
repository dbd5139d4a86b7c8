"""The least of a workbook, written without a library for workbooks."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook_of(cells: Sequence[Sequence[object]], from_1904: bool = False) -> bytes:
    """A workbook with one sheet; dates are days with a date's format, None an empty cell."""
    return workbook_with({"Meter": cells}, from_1904)


def workbook_with(
    sheets: Mapping[str, Sequence[Sequence[object]]], from_1904: bool = False
) -> bytes:
    """A workbook with these sheets, by name, whose days count from 1899-12-30 or 1904-01-01."""
    numbered = list(enumerate(sheets.items(), 1))
    listed = "".join(
        f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, (name, _) in numbered
    )
    relations = "".join(
        f'<Relationship Id="r{at}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at, _ in numbered
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(from_1904)}"/><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relations}'
        f'<Relationship Id="styles" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {_MAIN}><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/>'
        "</cellXfs></styleSheet>",
    }
    for at, (_, cells) in numbered:
        rows = "".join(
            f"<row>{''.join(_cell(one, from_1904) for one in row)}</row>" for row in cells
        )
        parts[f"xl/worksheets/sheet{at}.xml"] = (
            f"<worksheet {_MAIN}><sheetData>{rows}</sheetData></worksheet>"
        )
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return place.getvalue()


def _cell(value: object, from_1904: bool) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, datetime):
        first = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30)
        days = (value - first) / timedelta(days=1)
        return f'<c s="1"><v>{days:.10f}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{float(value)!r}</v></c>"  # type: ignore[arg-type]
