"""Random JSON objects, as text, that the bronze writer admits; in the shapes that have broken some reader of JSON.

Valid JSON, no lone surrogate, no member named twice (compared without case), nesting of at most 64, each number finite as
a float and of at most 100 characters, no member with a name of the layout's.
"""

import json
import random
import re

RESERVED = {"epoch", "lake_topic", "lake_symbol", "lake_date", "_kafka"}
NESTING = 64
NUMBER = 100
ODD_TEXTS = [
    "", "\0", "a\0b", "\u0001\u001f\u007f\u0080\u0085\u009f", "\u2028\u2029", "\ufeff", "\ufffd\ufffe\uffff", "\U0001f9ee",
    "\U0010ffff", "e\u0301", "\u202eabc", "\\", '"', "\\\"\\\\\"", "a\\nb", "\n\r\t\b\f", "/", "\\/", "'", "`", "NaN", "null", "true",
    "-Infinity", "0", "150.25", "1e5", "{", "}", "[", "]", "{\"a\":1}", ",", ":", "$.a", "a.b", "a b", "%", "%2F", "~", "#",
    "2026-11-21", "2026-11-21T06:00:00.000Z", "9999-12-31T23:59:59.999Z", "0000-01-01", "24:00:00", "中文符號", "ا", "\u212a", "ſymbol", "İ", "ß",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
]
NUMBERS = [
    "0", "-0", "-0.0", "0e0", "0E+00", "1E5", "1e-5", "1.5e-3", "150", "150.25", "150.250000", "1e308", "-1.7976931348623157e308", "5e-324",
    "1e-400", "0.0000000001", "18434253109835476992.0000000000", "9217126554917738496", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
    "2147483648", "9007199254740993", "9007199254740993.5", "1234567890123456789012345678.0123456789",
    "9999999999999999999999999999.9999999999", "10000000000000000000000000000", "12345678901234567890123456789012345678",
    "1" + "0" * 99, "-" + "9" * 99, "0." + "3" * 98, "1." + "0" * 98, "0." + "0" * 97 + "1", "1" + "0" * 94 + "e-94", "1" * 95 + "e-99",
    "0.00000000005", "0.00000000015", "-0.00000000005", "61826.61000000", "1732168800000", "1732168800", "0.1234567890123456789012345678",
]


def number(random):
    if random.random() < 0.4:
        return random.choice(NUMBERS)
    digits = "".join(random.choices("0123456789", k=random.randint(1, random.choice([3, 10, 30, 45]))))
    text = str(int(digits))
    if random.random() < 0.6:
        text += "." + "".join(random.choices("0123456789", k=random.randint(1, random.choice([2, 10, 30, 45]))))
    if random.random() < 0.15:
        text += random.choice("eE") + random.choice(["", "+", "-"]) + str(random.randint(0, 30))
    return random.choice(["", "", "-"]) + text


def text(random):
    """A text; sometimes huge, sometimes of any characters but surrogates."""
    choice = random.random()
    if choice < 0.5:
        return random.choice(ODD_TEXTS)
    if choice < 0.503:
        return random.choice(["x", "\0", "\\", "é", "\U0001f9ee"]) * random.choice([20_000, 170_000])
    code_points = (random.choice([random.randint(0, 127), random.randint(0, 0xD7FF), random.randint(0xE000, 0x10FFFF)]) for _ in range(random.randint(1, 12)))
    return "".join(map(chr, code_points))


def quoted(random, value):
    """JSON of a text: with its characters as they are, all escaped, or some of them escaped in ways that nobody needs."""
    choice = random.random()
    if choice < 0.5:
        return json.dumps(value, ensure_ascii=False)
    if choice < 0.75 or len(value) > 1000:
        return json.dumps(value)
    escaped = "".join(random.choice([json.dumps(c)[1:-1], json.dumps(c, ensure_ascii=False)[1:-1], utf16(c)]) for c in value)
    return f'"{escaped}"'.replace("/", random.choice(["/", "\\/"]))


def utf16(character):
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2))


def space(random):
    return random.choice(["", "", "", " ", "\t", "  "])


def value(random, depth):
    """Any value, `depth` more levels of which may be objects or lists."""
    choice = random.random()
    if choice < 0.35 or depth == 0:
        return random.choice(["null", "true", "false", number(random), quoted(random, text(random))])
    if choice < 0.7:
        return number(random)
    if choice < 0.85:
        return array(random, [value(random, min(depth - 1, 3)) for _ in range(random.randint(0, 4))])
    return members(random, {name(random): value(random, min(depth - 1, 3)) for _ in range(random.randint(0, 4))})


def deep(random, depth):
    """A value of exactly `depth` levels."""
    inner = random.choice(["null", "1", '""', "true"])
    for _ in range(depth):
        inner = f"[{inner}]" if random.random() < 0.5 else "{" + quoted(random, name(random)) + f":{inner}}}"
    return inner


def name(random):
    return random.choice(ODD_TEXTS) if random.random() < 0.5 else text(random)[:50]


def array(random, values):
    return f"[{space(random)}" + f"{space(random)},{space(random)}".join(values) + f"{space(random)}]"


def members(random, values):
    """An object; of names that are equal without case, the first."""
    kept = {}
    for key, item in values.items():
        kept.setdefault(folded(key), (key, item))
    pairs = [f"{space(random)}{quoted(random, key)}{space(random)}:{space(random)}{item}" for key, item in kept.values()]
    return "{" + ",".join(pairs) + f"{space(random)}}}"


def folded(key):
    return key.casefold()


def record(random, columns, symbol):
    """A value of a topic with `columns` [(name, what makes a value)]. Most cells are of their type, some odd, some missing."""
    kept = [(name, make) for name, make in columns if name != "symbol"]
    return object_of(random, [("symbol", lambda random: quoted(random, symbol)), *kept], always="symbol", extra=3)


def object_of(random, columns, odd=True, always=None, extra=1):
    """An object with these members, if `odd` some of them null, absent or of another type, and up to `extra` others."""
    body = {}
    for column, make in columns:
        choice = random.random()
        if column == always or choice > 0.2 or not odd:
            body[column] = make(random)
        elif choice > 0.05:
            body[column] = "null" if choice > 0.15 else value(random, 3)
    for _ in range(random.randint(0, extra)):
        key = name(random)
        if columns and random.random() < 0.1:
            # A member is of a column only if its name is written alike.
            key = random.choice(columns)[0].swapcase()
        if folded(key) not in RESERVED | set(map(folded, body)) and key not in dict(columns):
            body[key] = deep(random, NESTING - 3) if random.random() < 0.1 else value(random, 3)
    pairs = list(body.items())
    random.shuffle(pairs)
    return members(random, dict(pairs))


def check(body):
    """Whether `body` is what the writer admits, so that the generator can't leave its own bounds."""
    def pairs(items):
        names = [folded(key) for key, _ in items]
        assert len(set(names)) == len(names), names
        return dict(items)

    def digits(literal):
        assert len(literal) <= NUMBER and abs(float(literal)) != float("inf"), literal
        return float(literal)

    parsed = json.loads(body, object_pairs_hook=pairs, parse_int=digits, parse_float=digits)
    assert isinstance(parsed, dict) and not RESERVED & {folded(key) for key in parsed}
    assert not re.search("[\ud800-\udfff]", json.dumps(parsed, ensure_ascii=False))
