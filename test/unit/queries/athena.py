"""Parses SQL in the dialect of Athena and looks up every table and column of it.

Reads one JSON document on stdin: {"schema": {table: {column: type}}, "queries": [sql]}; writes one JSON line a query:
null, or why it is no query.
"""

import json
import sys

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify


def problem(sql, schema):
    try:
        statements = sqlglot.parse(sql, read="athena")
    except SqlglotError as error:
        return str(error)
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        return f"expected one SELECT, got {[type(s).__name__ for s in statements]}"
    try:
        qualified = qualify(statements[0], schema=schema, dialect="athena", validate_qualify_columns=True)
    except SqlglotError as error:
        return str(error)
    ctes = {cte.alias for cte in qualified.find_all(exp.CTE)}
    unknown = {t.name for t in qualified.find_all(exp.Table)} - ctes - schema.keys()
    return f"no such table: {sorted(unknown)}" if unknown else None


given = json.load(sys.stdin)
for sql in given["queries"]:
    print(json.dumps(problem(sql, given["schema"])))
