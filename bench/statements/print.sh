#!/bin/bash
# Prints a statement on A4 with Chromium and looks at the pages: size, and that what an accountant
# looks for is on them.
#
#     bench/statements/print.sh [STATEMENT.html]        xinghe, chromium and poppler-utils in PATH
#
# Without a file: the month of a shared account of 400 jobs, with the jobs as an annex.
set -euo pipefail
for program in chromium pdfinfo pdftotext; do
    command -v "$program" >/dev/null || {
        echo "print: no '$program' in PATH; Debian has it in chromium or poppler-utils" >&2
        exit 1
    }
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
page=${1:-}
if [ -z "$page" ]; then
    page=$folder/statement.html
    python3 - "$folder" <<'PYTHON'
import sys
with open(sys.argv[1] + "/sacct.txt", "w", encoding="utf-8") as out:
    out.write("JobID|JobIDRaw|User|Account|Partition|QOS|Submit|Start|End|Elapsed|NNodes|AllocCPUS|State\n")
    for job in range(1, 401):
        day, hour = 1 + job % 28, job % 20
        start, end = (f"2026-11-{day:02}T{at:02}:00:00" for at in (hour, hour + 3))
        out.write(f"{job}|{job}|li{job % 7}|motor|TH_NET|normal|{start}|{start}|{end}|03:00:00|"
                  f"{1 + job % 9}|{12 + job % 9 * 12}|COMPLETED\n")
with open(sys.argv[1] + "/accounts.csv", "w", encoding="utf-8") as out:
    out.write("account,enterprise,class,title\nmotor,motor,enterprise,Motor Co. (渤海汽车仿真有限公司)\n")
PYTHON
    LANG=zh_CN.UTF-8 xinghe ingest "$folder/sacct.txt" --tariff tianjin-prices --platform TH_NET=tianhe \
        --accounts "$folder/accounts.csv" --account motor --period 2026-11 --jobs --format html >"$page"
fi
chromium --headless --no-sandbox --disable-gpu --no-pdf-header-footer \
    --print-to-pdf="$folder/statement.pdf" "$page" 2>"$folder/chromium.log" ||
    { cat "$folder/chromium.log" >&2; exit 1; }
pdfinfo "$folder/statement.pdf" | grep -E '^(Pages|Page size)'
pdfinfo "$folder/statement.pdf" | grep -q 'Page size: .*(A4)' || { echo "print: no A4" >&2; exit 1; }
pdftotext -layout "$folder/statement.pdf" "$folder/statement.txt"
status=0
for fact in 机时费用结算单 编号 客户 费用明细 单价 税额 期初余额 期末余额 大写 盖章 账链; do
    grep -q "$fact" "$folder/statement.txt" || { echo "print: '$fact' is not on the pages" >&2; status=1; }
done
[ -n "${1:-}" ] || grep -q '附件' "$folder/statement.txt" || { echo "print: the annex is missing" >&2; status=1; }
cut=$(pdftotext -layout -f 1 -l 1 "$folder/statement.pdf" - | grep -c . || true)
echo "lines on the first page: $cut"
exit "$status"
