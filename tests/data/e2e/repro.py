"""A parser that has read a hexadecimal number must still read a decimal one."""

import parse

parser = parse.Parser("{:d}")
for text, number in [("0x1F", 31), ("1234", 1234), ("0b101", 5), ("77", 77)]:
    read = parser.parse(text)[0]
    assert read == number, f"{text!r} was read as {read}, not as {number}"
print("every number keeps its own base")
