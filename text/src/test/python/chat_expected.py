"""Prints what Jinja2 makes of every template and conversation in a folder, a JSON object a line.

usage: chat_expected.py FOLDER
"""

import json
import sys
from pathlib import Path

from chat_environment import environment, render


def main():
    folder = Path(sys.argv[1])
    conversations = json.loads((folder / "conversations.json").read_text("utf-8"))
    env = environment()
    for path in sorted((folder / "templates").glob("*.jinja")):
        source = path.read_bytes().decode("utf-8")
        for name, context in conversations.items():
            result = render(env, source, json.loads(json.dumps(context)))
            print(json.dumps(dict(template=path.name, conversation=name, **result), ensure_ascii=False))


if __name__ == "__main__":
    main()
