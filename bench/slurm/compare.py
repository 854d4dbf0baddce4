"""How nearly what a centre printed is what Slurm printed.

Texts are normalised first: what differs between two recordings of the same Slurm, and what was measured on
the recorded computer, is replaced by marks, in such a way that columns keep their width."""
import difflib, re

VOLATILE = [
    (re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d'), '<TIME             >'),
    (re.compile(r'(?m)^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]{2} [\d:]{8} \d{4}$'), '<CTIME>'),
    (re.compile(r'AllocNode:Sid=\S*'), 'AllocNode:Sid=<SID>'),
    (re.compile(r'\b(CPULoad|FreeMem|Priority)=\S*'), r'\1=<N>'),
    (re.compile(r'RunTime=[\d:-]+'), 'RunTime=<D>'),
    (re.compile(r'Scheduler=(Main|Backfill)'), 'Scheduler=<S>'),
    (re.compile(r'\b1[5-9]\d{8}\b'), '<EPOCH>'),
    (re.compile(r'\b(SLURM_TASK_PID|\w*_PORT|\w*COMM_HOST|AvgRSS|MaxRSS|SLURM_SUBMIT_HOST)=\S*'), r'\1=<N>'),
    (re.compile(r'\b(NodeHostName|NodeAddr|OS|SlurmdStartTime|BootTime)=[^\n]*?(?= +\w+=|\n|$)'), r'\1=<H>'),
    (re.compile(r'(?<=[\w>]) Port=\d+'), ''),    # told only where it is not the usual one
    # Where a node keeps scripts is the site's affair.
    (re.compile(r'(?m)(?<!\S)/\S*/(?:job0*(\d+)|jobs/(\d+)\.\d+)/slurm_script'), r'<SPOOL>/\1\2/slurm_script'),
    (re.compile(r'(?<![\d:-])00:0[0-2]:[0-5]\d(?![\d:])'), '<ELAPS>_'),
]
SHORT_TIME = re.compile(r'(?<![\d:=-])[01]:[0-5]\d(?![\d:])')

# What the recorded cluster measured on the one computer that all its nodes were: columns by their heads.
MEASURED = {'FREE_MEM', 'CPU_LOAD'}

def without_measured(text):
    """A listing with columns of measured values replaced; columns between bars or spaces."""
    lines = text.split('\n')
    if not lines: return text
    separator = '|' if '|' in lines[0] else None
    heads = [word.strip() for word in lines[0].split(separator)]
    places = [i for i, head in enumerate(heads) if head in MEASURED]
    if not places: return text
    for row in range(1, len(lines)):
        cells = lines[row].split(separator)
        if len(cells) != len(heads): continue
        for place in places: cells[place] = '<N>' + ' ' * (len(cells[place]) - len(cells[place].rstrip()))
        lines[row] = (separator or ' ').join(cells)
    return '\n'.join(lines)

def by_node(text):
    """`sinfo -N` with the rows of each node in order: there, its partitions come as threads end."""
    rows = text.split('\n')
    head = next((i for i, row in enumerate(rows) if 'NODELIST' in row), None)
    if head is None: return text
    separator = '|' if '|' in rows[head] else None
    place = [word.strip() for word in rows[head].split(separator)].index('NODELIST')
    def node(row): return (row.split(separator)[place:place + 1] or [''])[0].strip()
    order = {}
    for row in rows[head + 1:]: order.setdefault(node(row), len(order))
    return '\n'.join(rows[:head + 1] + sorted(rows[head + 1:], key=lambda row: (order[node(row)], row)))

def normalise(text, command=''):
    for pattern, mark in VOLATILE: text = pattern.sub(mark, text)
    if command.startswith('sinfo'): text = without_measured(text)
    if re.match(r'sinfo\b.* -N\b', command): text = by_node(text)
    if ' listpids' in command: text = re.sub(r'(?m)^\d+ *(?= \d)', '<PID>', text)
    # sacct writes hours too, and there 0:15 is an exit code.
    return text if 'sacct' in command else SHORT_TIME.sub('M:SS', text)

STATE = (r'\b(PD|R|CG|CD|PENDING|RUNNING|COMPLETING|COMPLETED) (M:SS|0:00) (\S+ )?(\d+) '
         r'(\(None\)|\(Priority\)|\(Resources\)|cn\S*|)$')

def soften(text):
    """Rows without what is a race: PD or R just after a submission, CG or CD, which of several idle nodes."""
    rows = []
    for row in text.splitlines():
        row = re.sub(r'\s+', ' ', row).strip()
        row = re.sub(STATE, r'ST M:SS \3\4 NODES', row)
        row = re.sub(r'cn\[[\d,-]+\]|cn\d+', 'cnX', row)
        row = re.sub(r'\b(None|Priority|Resources)$', 'RSN', row)
        rows.append(row)
    return sorted(rows)

def words_apart(a, b):
    """How many words differ between two texts, words added and taken away included."""
    x, y = a.split(), b.split()
    if x == y: return 0
    if len(x) == len(y): return sum(p != q for p, q in zip(x, y))
    matcher = difflib.SequenceMatcher(None, x, y, autojunk=False)
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != 'equal')

def compare(command, slurm, ours):
    """'equal', or how nearly: 'space', 'volatile', 'one field'; else 'different'."""
    g = {k: normalise(slurm[k], command) for k in ('out', 'err')}
    x = {k: normalise(ours[k], command) for k in ('out', 'err')}
    if slurm['rc'] != ours['rc']: return 'one field' if g == x else 'different'
    if g == x: return 'equal'
    if all(sorted(l.split() for l in g[k].splitlines()) == sorted(l.split() for l in x[k].splitlines()) for k in g):
        return 'space'
    if all(soften(g[k]) == soften(x[k]) for k in g): return 'volatile'
    if all(len(g[k].splitlines()) == len(x[k].splitlines()) for k in g) \
            and sum(words_apart(g[k], x[k]) for k in g) == 1: return 'one field'
    return 'different'
