"""Reads the cases on standard input into the generated models, and says of each whether its model took it."""

import importlib
import json
import pkgutil
import re
import sys

import legwork_types
from pydantic import TypeAdapter, ValidationError

for module in pkgutil.walk_packages(legwork_types.__path__, "legwork_types."):
    importlib.import_module(module.name)


def model(schema):
    module = sys.modules["legwork_types." + re.sub("[-.]", "_", schema).replace("/", ".")]
    words = schema.removesuffix(".schema").removeprefix("error-details/")
    title = "".join(word.capitalize() for word in re.split("[-_.]", words))
    return getattr(module, title + ("Details" if schema.startswith("error-details/") else ""))


def takes(schema, value):
    try:
        TypeAdapter(model(schema)).validate_python(value)
    except ValidationError:
        return False
    return True


print(json.dumps([takes(case["schema"], case["value"]) for case in json.load(sys.stdin)]))
