#!/usr/bin/env python3
"""Play recorded sessions of a real Slurm against a Xinghe centre.

A recording is a text (recordings/*.txt): input files, then commands with who ran them, what was printed
and the exit status. For each recording this opens a fresh centre in stepped time with a machine like the
recorded cluster (machine.yaml), runs every command as its user, moves the clock where the recording
waited, and compares standard output, standard error and exit status.

    conform.py --bin DIR [RECORDING ...] [-v]        RECORDING: the beginning of a name; default all
    conform.py --recordings DIR                        other recordings

A recording may also be a folder with NNN.cmd, NNN.user, NNN.out, NNN.err, NNN.rc and input.* files.

Runs as root: commands run as unix users (alice, bob, carol, dave; --make-users adds the missing ones),
because a centre knows its callers by the credentials of the socket.

What is done so that a difference means something:
 * job numbers: as many jobs are submitted and cancelled beforehand as the recording's numbers need, so that
   numbers, and with them the widths of columns, agree; where they part later, they are mapped;
 * run times: an emulated job does not run its script, so each sbatch gets --comment=runtime=SECONDS, the
   sum of the script's sleeps; the comment is taken out of what is printed again. With --rehearse the
   scripts run, and nothing is added;
 * past use: a recording may say what users had used before it (fair share goes by it), as core seconds: each
   runs a job of so many, and the centre's clock goes to the next period of reckoning, or as many periods on as
   the recording says; what they used since then runs after that;
 * what went before: a recording may begin right after others, whose last commands it then has as unrecorded,
   and may need other options of the centre;
 * host: commands run where the host's name is that of the recording's, which was the name of every node;
 * time: a recording says where it paused; while a command waits, the centre is given a second of its
   time again and again.
"""
import argparse, collections, difflib, json, os, pwd, re, shutil, socket, subprocess, sys, tempfile, time

from compare import compare, normalise
from reasons import reason

HERE = os.path.dirname(os.path.abspath(__file__))
PERIOD = 300                                                         # PriorityCalcPeriod, in seconds
USERS = {'alice': 1001, 'bob': 1002, 'carol': 1003, 'dave': 1004}    # as recorded; ours may be others
POLICY = ('order=multifactor,backfill=easy,PriorityWeightAge=1000,PriorityWeightFairshare=10000,PriorityWeightJobSize=1000,'
          'PriorityWeightPartition=1000,PriorityWeightQOS=1000,PriorityWeightCPU=100,batch_sched_delay=3,bf_interval=5')
FEW = 5                                                              # numbers that are used up in no time
CORES = 8                                                            # of a node
QUIET = 5                                                            # seconds: of bf_interval, and more than batch_sched_delay

# --------------------------------------------------------------------------------------------- recordings
HEAD = re.compile(r'\[(\d{3})\] (\w+)\$ (.*)')
NO_NEWLINE = '\\ no newline at end'

class Step:
    """One command of a recording."""
    def __init__(self, number, user, command, pause, before=()):
        self.number, self.user, self.command, self.pause, self.before = number, user, command, pause, before
        self.result = {'out': '', 'err': '', 'rc': 0}

    @property
    def submitted(self): return submitted(self.result)

def submitted(result):
    """The number of the job that a command submitted; None when it submitted none."""
    match = re.search(r'Submitted batch job (\d+)', result['out']) or re.fullmatch(r'(\d+)\n', result['out']) \
        or re.search(r'job allocation (\d+)|srun: job (\d+) queued|StepId=(\d+)\.', result['err'])
    return int(next(g for g in match.groups() if g)) if match else None

def read_folder(path):
    """The same of a recording that is a folder of files; pauses are not written there."""
    def read(name, default=''):
        try:
            with open(os.path.join(path, name), errors='replace', newline='') as file: return file.read()
        except FileNotFoundError: return default
    names = sorted(os.listdir(path))
    steps = []
    for number in (n[:3] for n in names if re.fullmatch(r'\d{3}\.cmd', n)):
        pause = read(number + '.pause').strip()
        steps.append(Step(number, read(number + '.user').strip() or 'alice', read(number + '.cmd').rstrip('\n'), int(pause or 0)))
        steps[-1].result = {'out': read(number + '.out'), 'err': read(number + '.err'), 'rc': int(read(number + '.rc', '0'))}
    return {n[6:]: read(n) for n in names if n.startswith('input.')}, steps

def read_recording(path):
    """The input files of a recording, by name, its steps, and what was before: the number of its first job,
    what users had used, in core seconds, up to how many periods ago and since, and options of the centre."""
    if os.path.isdir(path): return *read_folder(path), {}
    with open(path, newline='', errors='replace') as file: lines = file.read().split('\n')
    files, steps, earlier, pause, before, place = {}, [], {}, 0, [], None
    text, is_head = [], False
    def end_text():
        joined = '\n'.join(text)
        if text and text[-1] == NO_NEWLINE: joined = '\n'.join(text[:-1])
        elif text: joined += '\n'
        return joined
    for line in lines:
        head = HEAD.fullmatch(line)
        if line.startswith(('[file ', '[pause ', '[earlier ', '[since ', '[options ', '[unrecorded ')) or (head and place in (None, 'file')):
            if place == 'file': files[name] = '\n'.join(text)
            text, place = [], None
        if line.startswith('[file '):
            name, place = line[6:-1], 'file'
        elif line.startswith('[pause '):
            pause = int(line[7:-1])
        elif line.startswith('[unrecorded '):
            before.append(line[12:-1].split('$ ', 1))
        elif line.startswith('[earlier '):
            earlier.update((user, float(seconds)) for user, seconds in (w.split('=') for w in line[9:-1].split()))
        elif line.startswith('[since '):
            earlier['since'] = {user: float(seconds) for user, seconds in (w.split('=') for w in line[7:-1].split())}
        elif line.startswith('[options '):
            earlier['options'] = line[9:-1].split()
        elif head and place is None:
            steps.append(Step(head.group(1), head.group(2), head.group(3), pause, before))
            pause, before, place, is_head = 0, [], 'out', True
        elif is_head and line.startswith('> '):
            steps[-1].command += '\n' + line[2:]
        elif place == 'out' and line == '--- stderr':
            steps[-1].result['out'] = end_text()
            text, place = [], 'err'
        elif place in ('out', 'err') and line.startswith('--- exit '):
            steps[-1].result[place] = end_text()
            steps[-1].result['rc'] = int(line[9:])
            text, place = [], None
        elif place:
            is_head = False
            text.append(line)
    return files, steps, earlier

# ----------------------------------------------------------------------------------------------- the centre
class Centre:
    def __init__(self, options, name, more):
        self.options = options
        self.folder = os.path.join(options.work, 'state', name)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder); os.chmod(self.folder, 0o755)
        self.socket = os.path.join(self.folder, 's')
        self.xinghe('up', '--state', self.folder + '/state', '--machine', options.machine, '--policy', options.policy,
                    '--time', 'stepped', '--start', '2026-11-21T09:05:00', *(['--rehearse', '--kill-wait', '2'] if options.rehearse else []),
                    *more)

    def xinghe(self, verb, *arguments):
        done = subprocess.run(['xinghe', verb, '--socket', self.socket, *arguments],
                              capture_output=True, text=True, env=self.environment('root'))
        if done.returncode: sys.exit(f'xinghe {verb}: {done.stderr}{done.stdout}')
        return done.stdout

    def environment(self, user):
        return {'PATH': self.options.bin + ':/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
                'HOME': '/root' if user == 'root' else '/home/' + user, 'USER': user, 'LOGNAME': user,
                'SHELL': '/bin/bash', 'LANG': 'C.UTF-8', 'TERM': 'dumb', 'TZ': 'UTC', 'XINGHE_SOCKET': self.socket}

    def advance(self, seconds): self.xinghe('advance', f'{seconds}s')

    def use(self, seconds, work):
        """Lets users use so many core seconds, on the cores of a node, and waits until they have."""
        for user, amount in seconds.items():
            length = amount / CORES
            use = f'--wrap "sleep {length}"' if self.options.rehearse else f'--comment=runtime={length} --wrap true'
            self.run(f'sbatch -Q -t 1-0 -n {CORES} -o /dev/null {use}', user, work, 20)
        self.advance(int(max(seconds.values()) / CORES + 1) + QUIET)

    def status(self, member):
        """A number of the centre's status."""
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(self.socket)
            door.sendall(b'GET /v1/status HTTP/1.1\r\nHost: centre\r\nConnection: close\r\n\r\n')
            answer = b''.join(iter(lambda: door.recv(1 << 16), b''))
        return int(re.search(rb'"%s":\s*(\d+)' % member.encode(), answer).group(1))

    def settle(self):
        """Waits until what was done so far has been looked at, and backfilling has just come round."""
        self.advance(QUIET + -(self.status('now') // 1000000) % QUIET)

    def use_up(self, first, work):
        """Uses up job numbers, so that the next one is `first`; does nothing when it was given before. How many."""
        count = first - self.status('next_job_id')
        if count <= 0: return 0
        done = self.run(f'for i in $(seq {count}); do sbatch -Q -H --wrap true; done; scancel -u root', 'root', work, 120)
        if done['rc']: sys.exit(f'job numbers cannot be used up: {done["err"]}')
        return count

    def close(self): self.xinghe('down')

    def run(self, command, user, folder, limit):
        """Runs a shell command; while it waits the centre's clock goes on."""
        words = ['bash', '-c', command] if user == 'root' else ['runuser', '-u', user, '--', 'bash', '-c', command]
        words = ['unshare', '--uts', 'sh', '-c', 'hostname vm; exec "$@"', 'sh', *words]
        process = subprocess.Popen(words, cwd=folder, env=self.environment(user), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        end, patience, rc = time.time() + limit, 1, None
        while True:
            try:
                out, err = process.communicate(timeout=patience)
                break
            except subprocess.TimeoutExpired:
                if time.time() > end:
                    os.killpg(process.pid, 9)
                    out, err = process.communicate()
                    err, rc = err + b'[harness: timed out]', -1
                    break
                self.advance(1)
                patience = 0.15
        return {'out': out.decode(errors='replace'), 'err': err.decode(errors='replace'),
                'rc': process.returncode if rc is None else rc}

# ------------------------------------------------------------------------------------------ a job's run time
def seconds_of(text, arguments=()):
    """The sum of a script's sleeps; 0 for other commands."""
    loop = re.search(r'for \w+ in \$\(seq (\d+)\); do sleep (\d+); done', text)
    if loop: return int(loop.group(1)) * int(loop.group(2))
    total = 0
    for word in re.findall(r'\bsleep (\S+)', text):
        digits = re.match(r'\d+', word)
        if digits: total += int(digits.group(0))
        elif arguments and arguments[0].isdigit(): total += int(arguments[0])
        else:
            digits = re.search(r':-(\d+)', word)
            total += int(digits.group(1)) if digits else 0
    return total

def with_run_time(command, files):
    """The command with --comment=runtime=SECONDS after each sbatch."""
    def insert(match):
        rest = command[match.end():]
        wrap = re.search(r'--wrap[ =]("(?:[^"\\]|\\.)*"|\S+)', rest)
        comment, seconds = '', 0
        if wrap: seconds = seconds_of(wrap.group(1).strip('"'))
        else:
            words = rest.split(';')[0].split()
            for i, word in enumerate(words):
                if word in files:
                    seconds = seconds_of(files[word], words[i + 1:])
                    own = re.search(r'#SBATCH --comment=("?)(.*?)\1$', files[word], re.M)
                    if own: comment = own.group(2) + ';'
        return f'{match.group(0)}--comment="{comment}runtime={seconds}" '
    result = re.sub(r'(?<![\w-])sbatch (?=\S)', insert, command)
    # A comment on the command line is the later one: put the run time there as well.
    return re.sub(r'(--comment=)(?!")(\w+)', lambda m: m.group(1) + f'"{m.group(2)};runtime=0"' if m.group(2) != 'runtime' else m.group(0), result)

def without_run_time(text):
    text = re.sub(r';runtime=\d+', '', text)
    text = re.sub(r'(?m)^   Comment=runtime=\d+ *\n', '', text)
    text = re.sub(r' Comment=runtime=\d+ (?= )', '', text)
    return re.sub(r'runtime=\d+', '(null)', text)

# ---------------------------------------------------------------------------------------------- one recording
def renumbered(mapping, text):
    """`text` with job numbers exchanged; columns keep their width."""
    moved = {str(a): str(b) for a, b in mapping.items() if a != b}
    if not moved: return text
    words = '|'.join(sorted(moved, key=len, reverse=True))
    pattern = r'( *)(?:(?<![\w.:/=,\[-])(%s)(?![\d,\]-])|(?:(?<=[=:])|(?<=[a-z]-))(%s)(?![\w.:,\]-]))( *)' % (words, words)
    def put(m):
        before, old, after = m.group(1), m.group(2) or m.group(3), m.group(4)
        more = len(moved[old]) - len(old)
        # Numbers are aligned left at the beginning of a row, else right.
        if more and len(before) > 1: before = before[more:] if more > 0 else before + ' ' * -more
        elif more and len(after) > 1: after = after[more:] if more > 0 else after + ' ' * -more
        return before + moved[old] + after
    return re.sub(pattern, put, text)

def play(options, path):
    """Plays a recording; a row of facts for each of its commands."""
    name = os.path.basename(path).removesuffix('.txt')
    files, steps, earlier = read_recording(path)
    work = os.path.join(options.work, 'w', name)
    shutil.rmtree(work, ignore_errors=True); os.makedirs(work); os.chmod(work, 0o1777)
    for file, text in files.items():
        with open(os.path.join(work, file), 'w', newline='') as out: out.write(text)
        os.chmod(os.path.join(work, file), 0o755)
    centre = Centre(options, name, earlier.pop('options', []))
    numbers, lost, rows = {}, set(), []          # recorded job number -> ours; recorded ones that we refused
    try:
        first = int(earlier.pop('first', 0)) or min((s.submitted for s in steps if s.submitted), default=1)
        periods, since = int(earlier.pop('periods', 1)), earlier.pop('since', {})
        if earlier:
            centre.use(earlier, work)
            longest = int(max(earlier.values()) / CORES + 1) + QUIET
            centre.advance(periods * PERIOD - longest % PERIOD)
        if since: centre.use(since, work)
        centre.use_up(first, work)
        centre.settle()
        for step in steps:
            for user, command in step.before: centre.run(command, user, work, 20)
            if step.pause: centre.advance(step.pause)
            # What Slurm refuses late, and only tries (--test-only), takes a number too.
            if step.submitted and not numbers.get(step.submitted) and centre.use_up(step.submitted, work) > FEW:
                centre.settle()
            command = step.command if options.rehearse else with_run_time(step.command, files)
            command = command.replace('/lab/w/' + name, work).replace('/lab/w/', options.work + '/w/')
            command = renumbered({**{g: 900000 + g for g in lost}, **numbers}, command)
            ours = centre.run(command, step.user, work, 5 if step.result['rc'] == -1 else 20)
            mine = submitted(ours)
            if step.submitted and re.search(r'\b(sbatch|srun|salloc)\b', step.command):
                if mine: numbers[step.submitted] = mine
                else: lost.add(step.submitted)
            for key in ('out', 'err'):
                text = without_run_time(ours[key]).replace(options.work + '/w/', '/lab/w/')
                for user, number in USERS.items():
                    text = re.sub(r'(?<!\d)%d(?!\d)' % pwd.getpwnam(user).pw_uid, str(number), text)
                ours[key] = renumbered({b: a for a, b in numbers.items()}, text)
            verdict = compare(step.command, step.result, ours)
            rows.append({'case': name, 'n': step.number, 'user': step.user, 'cmd': step.command, 'verdict': verdict,
                         'reason': '' if verdict == 'equal' else reason(name, step.command, step.result, ours),
                         'slurm': step.result, 'ours': ours})
    finally:
        centre.close()
        if not options.keep: shutil.rmtree(centre.folder, ignore_errors=True)
    return rows

# ------------------------------------------------------------------------------------------------------ report
def show(row):
    print(f"--- {row['case']}/{row['n']} {row['user']}$ {row['cmd']}\n    {row['verdict']}: {row['reason']}")
    for key, label in (('out', 'stdout'), ('err', 'stderr')):
        a, b = (normalise(row[side][key], row['cmd']).splitlines() for side in ('slurm', 'ours'))
        for line in difflib.unified_diff(a, b, 'slurm ' + label, 'xinghe ' + label, lineterm='', n=0):
            if not line.startswith('@@'): print('    ' + line)
    if row['slurm']['rc'] != row['ours']['rc']:
        print(f"    exit status: slurm {row['slurm']['rc']}, xinghe {row['ours']['rc']}")

LISTING = re.compile(r'^\s*(squeue|sinfo|sacct|sprio|sshare|sreport|sdiag|sstat|sacctmgr|scontrol (-\S+ )*(show|list))\b')

def report(rows):
    print(f'{"recording":22}{"commands":>9}{"equal":>7}{"space":>7}{"volatile":>9}{"1 field":>8}{"differ":>7}')
    cases = collections.OrderedDict()
    for r in rows: cases.setdefault(r['case'], []).append(r)
    for name, some in cases.items():
        c = collections.Counter(r['verdict'] for r in some)
        print(f'{name:22}{len(some):9}{c["equal"]:7}{c["space"]:7}{c["volatile"]:9}{c["one field"]:8}{c["different"]:7}')
    why = collections.Counter(r['reason'] for r in rows if r['verdict'] != 'equal')
    if why: print('what differs, by its first reason:')
    for name, count in why.most_common(): print(f'  {count:4}  {name}')
    listings = [r for r in rows if LISTING.match(r['cmd'])]
    def share(some):
        equal = sum(r['verdict'] == 'equal' for r in some)
        return f'{equal} of {len(some)} ({100 * equal / max(1, len(some)):.1f} %)'
    print(f'listings equal {share(listings)}')
    print(f'equal {share(rows)}')

def make_users():
    for user in USERS:
        try: pwd.getpwnam(user)
        except KeyError:
            # Four digits like the recorded number, and free; what is printed is mapped.
            taken = {p.pw_uid for p in pwd.getpwall()}
            number = next(n for n in range(1001, 9999) if n not in taken)
            subprocess.run(['useradd', '-M', '-U', '-u', str(number), '-s', '/bin/bash', user], check=True)

def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('recording', nargs='*', help='only these (a beginning is enough)')
    parser.add_argument('--recordings', default=HERE + '/recordings', metavar='DIR')
    parser.add_argument('--bin', required=True, metavar='DIR[:DIR]', help='where the programs are, by all names')
    parser.add_argument('--work', metavar='DIR', help='where centres and jobs live; default: a new folder that every user may read')
    parser.add_argument('--machine', default=HERE + '/machine.yaml')
    parser.add_argument('--policy', default=POLICY)
    parser.add_argument('--json', metavar='FILE', help='everything, for further analysis')
    parser.add_argument('--least', type=float, default=0, metavar='PERCENT', help='fail when fewer are equal')
    parser.add_argument('--rehearse', action='store_true', help='run the scripts, with their sleeps in the centre\'s time')
    parser.add_argument('--keep', action='store_true', help='keep state folders')
    parser.add_argument('--make-users', action='store_true')
    parser.add_argument('-v', action='store_true', help='show what differs')
    options = parser.parse_args()
    options.bin = ':'.join(os.path.abspath(d) for d in options.bin.split(':'))
    os.environ['PATH'] = options.bin + ':' + os.environ['PATH']
    if not options.work:
        options.work = tempfile.mkdtemp(prefix='conform-')
        os.chmod(options.work, 0o755)
    if os.geteuid(): sys.exit('run as root: commands run as several users')
    if options.make_users: make_users()
    missing = [u for u in USERS if u not in {p.pw_name for p in pwd.getpwall()}]
    if missing: sys.exit(f'there is no user {missing[0]}: use --make-users')
    rows = []
    for file in sorted(os.listdir(options.recordings)):
        path = os.path.join(options.recordings, file)
        if not file.endswith('.txt') and not os.path.isdir(path): continue
        if options.recording and not any(file.startswith(r) for r in options.recording): continue
        rows += play(options, path)
    if options.v:
        for row in rows:
            if row['verdict'] != 'equal': show(row)
    report(rows)
    if options.json:
        with open(options.json, 'w') as file: json.dump(rows, file, indent=1)
    equal = sum(r['verdict'] == 'equal' for r in rows)
    sys.exit(100 * equal < options.least * len(rows))

if __name__ == '__main__': main()
