#!/usr/bin/env bash
# Looks at the page in Chromium: with 18,177 nodes and 50,000 waiting jobs it opens, follows a job, speaks both
# languages and fits a phone. Arguments go to look.py.
set -euo pipefail
cd "$(dirname "$0")"
command -v chromium >/dev/null || { echo "chromium is missing: apt-get install chromium" >&2; exit 69; }
venv=${XDG_CACHE_HOME:-$HOME/.cache}/xinghe-bench/page
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q "websocket-client==1.8.0"
fi
exec "$venv/bin/python" look.py "$@"
