"""Checks the schemas of a folder against draft 2020-12, and the cases on standard input against them (jsonschema)."""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator

folder = pathlib.Path(sys.argv[1])
validators = {}
for file in sorted(folder.rglob("*.json")):
    name = file.relative_to(folder).with_suffix("").as_posix()
    if name == "index":
        continue
    schema = json.loads(file.read_text())
    try:
        Draft202012Validator.check_schema(schema)
    except Exception as error:
        sys.exit(f"{name}: {error}")
    assert schema["$id"] == f"urn:legwork:v1:{name}", schema["$id"]
    validators[name] = Draft202012Validator(schema)
fits = [validators[case["schema"]].is_valid(case["value"]) for case in json.load(sys.stdin)]
print(json.dumps({"schemas": len(validators), "fits": fits}))
