"""CEL: the Common Expression Language, with the functions that Kubernetes adds to it.

Text goes through a library's parser (parsing.py), our type checker (checking.py), and becomes
closures over JSON documents (building.py): compiled once when an object changes, evaluated at each
request. Why so: docs/decisions/cel.md.

Who has expressions writes:

    environment = Environment({"object": DYN, "request": REQUEST})
    program = environment.compile(text, outputs=(BOOL,))       # CompileError, upstream's text
    program.evaluate({"object": obj, "request": request}, budget)   # EvaluationError, CostExceeded

* Types are in types.py: scalars, list_of, map_of, and ObjectType with its fields, which schemas.py
  makes of OpenAPI and structural schemas.
* A library of functions is a file in libraries/ and a line in its LIBRARIES.
* Budgets (budget.py) bound what evaluations may cost, together and each.
"""

from control_plane.api.cel.budget import MATCH_CONDITIONS, PER_CALL, PER_REQUEST, Budget
from control_plane.api.cel.environment import Environment, Program
from control_plane.api.cel.errors import CelError, CompileError, CostExceeded, EvaluationError
from control_plane.api.cel.schemas import type_of_schema
from control_plane.api.cel.types import BOOL, DYN, INT, NULL, STRING, Field, ObjectType, Type

__all__ = [
    "BOOL", "DYN", "INT", "MATCH_CONDITIONS", "NULL", "PER_CALL", "PER_REQUEST", "STRING",
    "Budget", "CelError", "CompileError", "CostExceeded", "Environment", "EvaluationError",
    "Field", "ObjectType", "Program", "Type", "type_of_schema",
]  # fmt: skip
