#!/usr/bin/env bash
# Looks at the page in Chromium: with 18,177 nodes and 50,000 waiting jobs it opens, follows a job, speaks both
# languages and fits a phone. Arguments go to look.py.
set -euo pipefail
cd "$(dirname "$0")"
command -v chromium >/dev/null && /usr/bin/python3 -c 'import websocket' 2>/dev/null || {
    echo "the browser is missing: apt-get install chromium python3-websocket" >&2
    exit 69
}
exec /usr/bin/python3 look.py "$@"
