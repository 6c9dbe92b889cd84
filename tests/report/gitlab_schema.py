"""What GitLab's secret detection schema asks of a report, version 15.0.7, written down from its documented fields.

The published schema is that of `dist/secret-detection-report-format.json` in GitLab's security-report-schemas.
"""

from __future__ import annotations

_NAMED = {
    "type": "object",
    "required": ["id", "name", "version", "vendor"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "name": {"type": "string", "minLength": 1},
        "version": {"type": "string", "minLength": 1},
        "vendor": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string", "minLength": 1}},
        },
    },
}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
_URL = {"type": "string", "pattern": "^(https?|ftp)://.+"}
_SCAN = {
    "type": "object",
    "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
    "properties": {
        "analyzer": _NAMED,
        "scanner": _NAMED,
        "start_time": _TIME,
        "end_time": _TIME,
        "status": {"enum": ["success", "failure"]},
        "type": {"enum": ["secret_detection"]},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["level", "value"],
                "properties": {
                    "level": {"enum": ["info", "warn", "fatal"]},
                    "value": {"type": "string", "minLength": 1},
                },
            },
        },
    },
}
_LOCATION = {
    "type": "object",
    "required": ["commit"],
    "properties": {
        "file": {"type": "string"},
        "start_line": {"type": "number"},
        "end_line": {"type": "number"},
        "commit": {
            "type": "object",
            "required": ["sha"],
            "properties": {
                "sha": {"type": "string", "minLength": 1},
                "author": {"type": "string"},
                "date": {"type": "string"},
                "message": {"type": "string"},
            },
        },
    },
}
_IDENTIFIER = {
    "type": "object",
    "required": ["type", "name", "value"],
    "properties": {
        "type": {"type": "string", "minLength": 1},
        "name": {"type": "string", "minLength": 1},
        "value": {"type": "string", "minLength": 1},
        "url": _URL,
    },
}
_FLAG = {
    "type": "object",
    "required": ["type", "origin", "description"],
    "properties": {
        "type": {"enum": ["flagged-as-likely-false-positive"]},
        "origin": {"type": "string", "minLength": 1},
        "description": {"type": "string", "minLength": 1},
    },
}
_DETAIL = {
    "type": "object",
    "required": ["name", "type", "value"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "type": {"const": "text"},
        "value": {"type": "string"},
    },
}
_VULNERABILITY = {
    "type": "object",
    "required": ["id", "identifiers", "location"],
    # Not in GitLab's schema, which lets all names pass: a raw extract of the source would hold the value.
    "not": {"required": ["raw_source_code_extract"]},
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "name": {"type": "string", "maxLength": 255},
        "description": {"type": "string", "maxLength": 1_048_576},
        "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
        "solution": {"type": "string", "maxLength": 7000},
        "identifiers": {"type": "array", "minItems": 1, "items": _IDENTIFIER},
        "flags": {"type": "array", "items": _FLAG},
        "details": {"type": "object", "additionalProperties": _DETAIL},
        "location": _LOCATION,
    },
}
SCHEMA: dict[str, object] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["scan", "version", "vulnerabilities"],
    "properties": {
        "version": {"const": "15.0.7"},
        "schema": {"type": "string", "pattern": "^https?://.+"},
        "scan": _SCAN,
        "vulnerabilities": {"type": "array", "items": _VULNERABILITY},
    },
}
