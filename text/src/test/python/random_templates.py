"""Prints random templates and what Jinja2 makes of them, a JSON object a line.

usage: random_templates.py SEED COUNT
"""

import functools
import json
import random
import re
import sys
import warnings

from chat_environment import environment, render

CONTEXT = {
    "n": 7, "z": 0, "neg": -3, "big": 12345678901234567890123, "f": 2.5, "g": -0.1, "h": 1e22,
    "t": True, "no": False, "nil": None, "s": "Hello World", "e": "", "w": "  pad\n\ttab ",
    "u": "Ünï ß 汉字 😀 x", "html": "<b class='x'>&amp; \"q\"</b>", "num": " 42 ", "fmt": "%s-%s",
    "l": [3, 1, 2], "ls": ["b", "A", "c", "a"], "mixed": [1, "a", None, 2.0, True], "el": [],
    "m": {"a": 1, "B": [1, 2], "c": {"d": "x"}, "items": 5}, "em": {},
    "lm": [{"k": "b", "v": 2}, {"k": "a", "v": 1.5}, {"k": "B", "v": -1}],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "image"}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "function": {"name": "f", "arguments": {"x": 1, "y": ["ä", 2.50]}}}]},
        {"role": "tool", "content": "{\"a\": 1}"},
    ],
}
NAMES = list(CONTEXT) + ["undef", "loop", "ns"]
STRINGS = ["", "a", "l", "o", " ", "\\n", "Hello", "ab,c,d", "{}-{!r}", "%05.1f", "%s", "%(a)s",
           "😀", "é", "x\\ty", "<", "{0:>5}|{n:,}", "a b  c", "0x1f", "1e3", "k", "v", "\\u00e9", "ABC"]
NUMBERS = ["0", "1", "2", "3", "-1", "5", "10", "0.5", "1.0", "2.75", "1_000", "0x1F", "1e3", "3.0e-5"]
FILTERS = [
    "abs", "attr('a')", "batch(2)", "batch(2, 'x')", "capitalize", "center(12)", "count",
    "default('d')", "default('d', true)", "d(1)", "dictsort", "dictsort(true)",
    "dictsort(by='value')", "dictsort(reverse=true)", "e", "escape", "first", "float",
    "float(1.5)", "forceescape", "format(1)", "format('a', 2)", "groupby('k')", "indent",
    "indent(2)", "indent(2, true)", "indent('> ', blank=true)", "int", "int(5)", "int(0, 16)",
    "items", "join", "join(', ')", "join('-', 'k')", "join(attribute='v')", "last", "length",
    "list", "lower", "map('upper')", "map('int')", "map(attribute='k')",
    "map(attribute='zz', default='q')", "map('default', 9)", "max", "min", "max(attribute='v')",
    "min(true)", "pprint", "reject", "reject('none')", "rejectattr('k')",
    "rejectattr('k', 'equalto', 'a')", "replace('l', 'L')", "replace('l', '', 1)",
    "replace('', '-')", "reverse", "round", "round(1)", "round(1, 'floor')", "round(0, 'ceil')",
    "round(-1)", "safe", "select", "select('odd')", "select('string')", "select('gt', 1)",
    "selectattr('k')", "selectattr('v', 'gt', 1)", "selectattr('v', 'defined')", "slice(2)",
    "slice(2, 0)", "sort", "sort(reverse=true)", "sort(attribute='k')", "sort(false, true)",
    "sort(attribute='v,k')", "string", "striptags", "sum", "sum('v')", "sum(start=2)", "title",
    "tojson", "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(separators=(',', ':'))",
    "tojson(sort_keys=true)", "trim", "trim('Hd')", "truncate(8)", "truncate(8, true)",
    "truncate(7, false, '..', 0)", "unique", "unique(true)", "unique(attribute='k')", "upper",
    "urlencode", "wordcount", "wordwrap(5)", "wordwrap(7, false)", "xmlattr", "filesizeformat",
    "filesizeformat(true)", "list|length", "list|last", "map('string')|list",
]
TESTS = [
    "defined", "undefined", "none", "boolean", "true", "false", "integer", "float", "number",
    "string", "mapping", "sequence", "iterable", "callable", "lower", "upper", "odd", "even",
    "divisibleby 3", "divisibleby(2)", "sameas none", "sameas(true)", "in [1, 2, 'a']", "in 'Hello'",
    "eq 1", "ne 'a'", "gt 1", "ge(2)", "lt 5", "le 2.5", "equalto 'b'", "filter", "test", "escaped",
    "not none", "not defined", "not in l", "==(1)".replace("==", "eq"), "greaterthan 0", "lessthan 0",
]
METHODS = [
    "upper()", "lower()", "title()", "capitalize()", "swapcase()", "casefold()", "strip()",
    "strip('Hd ')", "lstrip()", "rstrip('\\n ')", "split()", "split(' ')", "split('l', 1)",
    "split(maxsplit=1)", "rsplit(' ', 1)", "rsplit(None, 1)", "splitlines()", "splitlines(true)",
    "replace('l', 'r')", "replace('', '.', 2)", "startswith('H')", "startswith(('x', 'H'))",
    "endswith('d')", "endswith(('d', 'x'), 2)", "find('o')", "find('o', 5)", "rfind('o')",
    "index('o')", "count('l')", "count('')", "join(ls)", "join(l)", "isdigit()", "isalpha()",
    "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isdecimal()", "isnumeric()",
    "isascii()", "isidentifier()", "isprintable()", "zfill(6)", "ljust(7, '.')", "rjust(7)",
    "center(8, '*')", "partition(' ')", "rpartition('o')", "removeprefix('He')",
    "removesuffix('ld')", "format(1, 2, n=n)", "format(s, l, n=3)", "expandtabs(4)", "keys()",
    "values()", "items()", "get('a')", "get('zz', 'dflt')", "items()|list", "keys()|list",
    "append(1)", "pop()", "update({})", "clear()", "sort()", "copy()", "index(1)", "count(1)",
    "is_integer()", "bit_length()", "real", "__class__", "_private", "nope()", "nope", "a", "k",
    "c.d", "0", "items", "content", "role",
]
BINARY = ["+", "-", "*", "/", "//", "%", "+", "~", "~", "and", "or", "and", "or"]
COMPARE = ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "==", "in"]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.loops = 0

    def pick(self, items):
        return self.r.choice(items)

    def atom(self):
        k = self.r.random()
        if k < 0.55:
            return self.pick(NAMES)
        if k < 0.75:
            return self.pick(["'%s'", '"%s"'][:1]) % self.pick(STRINGS)
        if k < 0.93:
            return self.pick(NUMBERS)
        return self.pick(["true", "false", "none", "True", "None", "range(3)", "range(5, 1, -2)",
                          "dict(a=1, b=none)", "namespace(a=1)", "dict(m, z=2)", "[]", "{}", "()"])

    def expr(self, depth):
        if depth <= 0:
            return self.atom()
        e = lambda: self.expr(depth - 1 - self.r.randrange(2))
        k = self.r.random()
        if k < 0.13:
            return f"{e()} {self.pick(BINARY)} {e()}"
        if k < 0.16:
            return f"({e()}) {self.pick(BINARY)} ({e()})"
        if k < 0.17:
            return f"{e()} ** {self.pick(['0', '1', '2', '3', '-1', '-2'])}"
        if k < 0.25:
            return f"{e()} {self.pick(COMPARE)} {e()}"
        if k < 0.27:
            return f"{e()} < {e()} <= {e()}"
        if k < 0.34:
            return f"{e()} is {self.pick(TESTS)}"
        if k < 0.54:
            return f"{e()}|{self.pick(FILTERS)}"
        if k < 0.56:
            return f"({e()})|{self.pick(FILTERS)}|{self.pick(FILTERS)}"
        if k < 0.70:
            return f"{self.base(depth)}.{self.pick(METHODS)}"
        if k < 0.75:
            return f"{self.base(depth)}[{e()}]"
        if k < 0.82:
            bounds = [self.pick(["", "", "1", "-1", "2", "-2", "0", "n", "100", "nil", "-9"]) for _ in range(3)]
            if self.r.random() < 0.6:
                bounds[2] = ""
            # Jinja2 folds slices of constants, and answers otherwise there than where they vary.
            return f"{self.pick(NAMES)}[{bounds[0]}:{bounds[1]}{':' + bounds[2] if bounds[2] else ''}]"
        if k < 0.87:
            return f"({e()} if {e()}{f' else {e()}' if self.r.random() < 0.8 else ''})"
        if k < 0.90:
            return f"[{e()}, {e()}]"
        if k < 0.92:
            return f"({e()}, {e()})"
        if k < 0.95:
            return f"{{'a': {e()}, {self.pick(['1', 'true', 'none', '1.0', self.quoted()])}: {e()}}}"
        if k < 0.98:
            return f"not {e()}"
        return f"-{self.base(depth)}"

    def quoted(self):
        return "'%s'" % self.pick(["a", "b", "é"])

    def base(self, depth):
        return self.atom() if self.r.random() < 0.7 else f"({self.expr(depth - 1)})"

    def tag(self, inside):
        left = self.pick(["", "", "", "-", "+"])
        right = self.pick(["", "", "", "-", "+"])
        return "{%" + left + " " + inside + " " + right + "%}"

    def text(self):
        return self.pick(["", " ", "\n", "x", " y\n", "\n  ", "  \n", "a{b", "}", "\t", "\r\n", "# ", "é\n\n", "{ ", "% }"])

    def output(self):
        left = self.pick(["", "", "", "-", "+"])
        right = self.pick(["", "", "", "-"])
        return "{{" + left + " " + self.expr(2) + " " + right + "}}"

    def block(self, depth):
        return "".join(self.statement(depth) for _ in range(self.r.randrange(1, 4)))

    def target(self):
        return self.pick(["n", "x", "y", "s", "a, b", "ns.a", "l", "x, (a, b)", "_p"])

    def statement(self, depth):
        r = self.r.random()
        if depth <= 0 or r < 0.22:
            return self.text() + self.pick([self.output(), self.text(), "{{ x }}", "{{ n }}", "{{ ns.a }}"])
        if r < 0.34:
            return self.text() + self.tag(f"set {self.target()} = {self.expr(2)}") + self.text()
        if r < 0.47:
            out = self.tag(f"if {self.expr(2)}") + self.block(depth - 1)
            if self.r.random() < 0.3:
                out += self.tag(f"elif {self.expr(1)}") + self.block(depth - 1)
            if self.r.random() < 0.5:
                out += self.tag("else") + self.block(depth - 1)
            return out + self.tag("endif")
        if r < 0.65:
            target = self.pick(["x", "y", "a, b", "m", "n", "x"])
            source = self.pick(["l", "ls", "lm", "messages", "m", "m.items()", "m|dictsort", "range(4)", "s", "el", "undef",
                                "lm|groupby('k')", "[(1, 2), (3, 4)]", self.expr(1)])
            cond = f" if {self.expr(1)}" if self.r.random() < 0.2 else ""
            self.loops += 1
            inner = self.block(depth - 1)
            for _ in range(self.r.randrange(0, 3)):
                inner += self.pick([
                    "{{ loop.index }}", "{{ loop.first }}", "{{ loop.last }}", "{{ loop.length }}",
                    "{{ loop.previtem }}", "{{ loop.nextitem }}", "{{ loop.cycle('a', 'b') }}",
                    "{{ loop.revindex0 }}", "{{ loop.changed(x) }}", "{{ loop.depth }}",
                    self.tag(f"if {self.expr(1)}") + self.tag(self.pick(["break", "continue"])) + self.tag("endif")])
            self.loops -= 1
            other = self.tag("else") + self.block(depth - 1) if self.r.random() < 0.25 else ""
            return self.text() + self.tag(f"for {target} in {source}{cond}") + inner + other + self.tag("endfor")
        if r < 0.72:
            name = self.pick(["mac", "mac2"])
            params = self.pick(["", "x", "x, y=2", "x=n, y=x", "a, b=s"])
            call = self.pick([f"{{{{ {name}() }}}}", f"{{{{ {name}(1) }}}}", f"{{{{ {name}(x=l, y='q') }}}}",
                              f"{{{{ {name}(1, 2, 3) }}}}", f"{{{{ {name}(*l) }}}}", f"{{{{ {name}(**em) }}}}",
                              self.tag(f"call {name}(1)") + self.block(0) + self.tag("endcall")])
            extra = self.pick(["", "", "{{ varargs }}", "{{ kwargs }}", "{{ caller() }}", "{{ caller is defined }}"])
            return (self.tag(f"macro {name}({params})") + self.block(depth - 1) + extra
                    + self.tag("endmacro") + self.text() + call)
        if r < 0.77:
            return self.tag(f"with {self.pick(['x', 'n', 'y'])} = {self.expr(1)}") + self.block(depth - 1) + self.tag("endwith")
        if r < 0.82:
            chain = self.pick(["upper", "trim", "indent(2)", "replace('a', n)", "length", "tojson", "upper|trim"])
            return self.tag(f"filter {chain}") + self.block(depth - 1) + self.tag("endfilter")
        if r < 0.87:
            return self.tag(f"set {self.pick(['x', 'y', 'n'])}{self.pick(['', ' | upper', ' | trim | length'])}") \
                + self.block(depth - 1) + self.tag("endset") + "{{ x }}"
        if r < 0.90:
            return self.tag(f"set ns = namespace(a={self.expr(1)})") + self.block(depth - 1) + "{{ ns.a }}"
        if r < 0.92:
            return self.tag("generation") + self.block(depth - 1) + self.tag("endgeneration")
        if r < 0.94:
            return "{#" + self.pick(["", "-", "+"]) + " c {{ x }} " + self.pick(["", "-", "+"]) + "#}" + self.text()
        if r < 0.96:
            return self.tag("raw") + self.text() + "{{ raw }}{% x %}" + self.text() + self.tag("endraw")
        if r < 0.97:
            return self.tag("autoescape " + self.pick(["false", "true"])) + self.block(depth - 1) + self.tag("endautoescape")
        if r < 0.98:
            return self.tag("block b%d" % self.r.randrange(10**6)) + self.block(depth - 1) + self.tag("endblock")
        if r < 0.985:
            return self.tag("for x in messages recursive") + "{{ loop(x.content) if x.content is iterable and x.content is not string }}" \
                + self.block(0) + self.tag("endfor")
        if r < 0.99:
            return "{{ n|nosuchfilter }}"
        return "{{ raise_exception('stop ' ~ n) }}" if self.r.random() < 0.3 else self.tag(self.pick(["break", "nosuchtag", "endif", "set 1 = 2"]))

    def template(self):
        if self.r.random() < 0.5:
            return "{{ " + self.expr(self.r.randrange(1, 4)) + " }}"
        return self.block(self.r.randrange(1, 4)) + self.text()


# What prints an address or depends on Python's own internals cannot be compared.
UNSTABLE = re.compile(r"at 0x|<function|<built-in|<bound|<class|<jinja2|__main__|object at", re.IGNORECASE)
LAZY = ["map", "select", "reject", "selectattr", "rejectattr", "unique", "batch", "slice", "items", "reverse"]


class Unstable(BaseException):
    """A generator was printed, which shows its address."""


class generator:  # the name shows in messages
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.items)

    def __str__(self):
        raise Unstable

    __repr__ = __str__


def unprintable(lazy_filter):
    @functools.wraps(lazy_filter)
    def wrapper(*args, **kwargs):
        result = lazy_filter(*args, **kwargs)
        return result if isinstance(result, (str, list)) else generator(result)

    return wrapper


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    warnings.simplefilter("ignore")
    env = environment()
    for name in LAZY:
        env.filters[name] = unprintable(env.filters[name])
    templates = Generator(seed)
    print(json.dumps({"context": CONTEXT}))
    printed = 0
    while printed < count:
        source = templates.template()
        try:
            result = render(env, source, json.loads(json.dumps(CONTEXT)))
        except Unstable:
            continue
        if UNSTABLE.search(result.get("text", result.get("error"))):
            continue
        print(json.dumps(dict(source=source, **result)))
        printed += 1


if __name__ == "__main__":
    main()
