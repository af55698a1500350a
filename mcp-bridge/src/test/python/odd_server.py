"""An MCP server over standard streams that misbehaves on demand; the standard library alone.

Arguments: mute (never answers), pages (lists its tools one by one), endless (there is always a next
page), needs=FILE (ends at once until the file exists), mark=FILE (a cancelled call is noted there),
deaf (ignores SIGTERM and the end of its input).
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time

options = dict(argument.partition("=")[::2] for argument in sys.argv[1:])
writing = threading.Lock()
answers = {}
calls = {}
extra_tools = []

ANY = {"type": "object"}
TOOLS = {
    "echo": {
        "type": "object",
        "properties": {"text": {"type": "string"}, "times": {"type": "integer", "maximum": 3}},
        "required": ["text"],
        "additionalProperties": False,
    },
    "crash": ANY,
    "hang": ANY,
    "garbage": ANY,
    "flood": ANY,
    "flood_errors": ANY,
    "big": ANY,
    "morph": ANY,
    "ask": ANY,
    "environment": ANY,
    "spawn": ANY,
    "fail": ANY,
    "steps": ANY,
    "bad schema": {"type": "no such type", "pattern": 7},
}


def say(message):
    with writing:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def text(content, **more):
    return {"content": [{"type": "text", "text": content}], **more}


def ask(method, params):
    name = f"asked-{len(answers)}"
    answers[name] = threading.Event(), {}
    say({"id": name, "method": method, "params": params})
    answers[name][0].wait(10)
    return answers[name][1]


def call(tool, arguments, request, token):
    if tool == "echo":
        return text(arguments["text"] * arguments.get("times", 1))
    if tool == "crash":
        print("going down", file=sys.stderr, flush=True)
        os._exit(7)
    if tool == "hang":
        calls[request] = arguments.get("name", "")
        return None
    if tool == "garbage":
        with writing:
            sys.stdout.write('{"jsonrpc": "2.0", "id": \nnot json at all\n[]\n{"jsonrpc"\n\n')
        return text("still fine")
    if tool == "flood":
        with writing:
            while True:
                sys.stdout.write("x" * 65536)
    if tool == "flood_errors":
        for line in range(20000):
            print("error", line, "x" * 100, file=sys.stderr)
        return text("said it all")
    if tool == "big":
        return text("0123456789" * arguments.get("tens", 100))
    if tool == "morph":
        extra_tools.append(f"extra_{len(extra_tools)}")
        for _ in range(50):
            say({"method": "notifications/tools/list_changed"})
        return text("changed")
    if tool == "ask":
        elicited = ask("elicitation/create", {"message": "who?", "requestedSchema": ANY})
        sampled = ask("sampling/createMessage", {"messages": [], "maxTokens": 1})
        return text(json.dumps({"elicited": elicited, "sampled": sampled}))
    if tool == "environment":
        return text(json.dumps(dict(os.environ)))
    if tool == "spawn":
        child = subprocess.Popen(
            [sys.executable, "-c", "import signal,time\nsignal.signal(15, 1)\ntime.sleep(600)"],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return text(str(child.pid))
    if tool == "fail":
        return text("it did not work", isError=True)
    if tool == "steps":
        for step in (1, 2):
            progress = {"progressToken": token, "progress": step, "total": 2, "message": "on it"}
            say({"method": "notifications/progress", "params": progress})
            time.sleep(0.3)
        return text("there")
    return text(f"called {tool}")


def listed(cursor):
    names = list(TOOLS) + extra_tools
    tools = [
        {"name": name, "description": f"does {name}", "inputSchema": TOOLS.get(name, ANY)}
        for name in names
    ]
    if "endless" in options:
        return {"tools": tools[:1], "nextCursor": "again"}
    if "pages" in options:
        at = int(cursor or 0)
        more = {"nextCursor": str(at + 1)} if at + 1 < len(tools) else {}
        return {"tools": tools[at : at + 1], **more}
    return {"tools": tools}


def handle(message):
    method, request, params = message.get("method"), message.get("id"), message.get("params") or {}
    if method is None:
        answers[request][1].update(
            message.get("result") or {"error": message.get("error", {}).get("message")}
        )
        answers[request][0].set()
    elif method == "initialize":
        if "mute" not in options:
            say(
                {
                    "id": request,
                    "result": {
                        "protocolVersion": params["protocolVersion"],
                        "capabilities": {"tools": {"listChanged": True}},
                        "serverInfo": {"name": "odd", "version": "1"},
                    },
                }
            )
    elif method == "tools/list":
        say({"id": request, "result": listed(params.get("cursor"))})
    elif method == "tools/call":
        result = call(
            params["name"],
            params.get("arguments") or {},
            request,
            (params.get("_meta") or {}).get("progressToken"),
        )
        if result is not None:
            say({"id": request, "result": result})
    elif method == "notifications/cancelled":
        name = calls.pop(params["requestId"], "not known")
        with open(options["mark"], "a") as mark:
            mark.write(f"{name}: {params.get('reason')}\n")
        # Too late, and not to be heard.
        say({"id": params["requestId"], "result": text("after all")})
    elif request is not None:
        say({"id": request, "result": {}})


if "needs" in options and not os.path.exists(options["needs"]):
    print("cannot start without", options["needs"], file=sys.stderr)
    sys.exit(3)
if "deaf" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin:
    threading.Thread(target=handle, args=(json.loads(line),), daemon=True).start()
if "deaf" in options:
    time.sleep(600)
