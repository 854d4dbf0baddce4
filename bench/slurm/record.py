#!/usr/bin/env python3
"""Ask a living Slurm what it answers: reads sessions and writes recordings, which conform.py plays.

    record.py [--path DIR] [--work DIR] SESSION... OUT     OUT: the folder for the recordings

A session is a recording without what came back: `[file NAME]` and its lines, `[pause SECONDS]`, and
`USER$ COMMAND`, a command that goes on in lines that begin with `> `. Runs as root on the computer of a Slurm
with the users of conform.py; --path is put before PATH, --work is where each session gets a folder of its name.
"""
import argparse, os, re, subprocess, sys, time

COMMAND = re.compile(r'(\w+)\$ (.*)')

def run(command, user, folder, path, limit=30):
    words = ['bash', '-c', command] if user == 'root' else ['runuser', '-u', user, '--', 'bash', '-c', command]
    words = ['unshare', '--uts', 'sh', '-c', 'hostname vm; exec "$@"', 'sh', *words]
    environment = {'PATH': path + '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', 'TERM': 'dumb', 'TZ': 'UTC',
                   'HOME': '/root' if user == 'root' else '/home/' + user, 'USER': user, 'LOGNAME': user,
                   'SHELL': '/bin/bash', 'LANG': 'C.UTF-8'}
    process = subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try: out, err = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        out, err = process.communicate()
        return out.decode(errors='replace'), err.decode(errors='replace'), -1
    return out.decode(errors='replace'), err.decode(errors='replace'), process.returncode

def text(some):
    return some + ('' if some.endswith('\n') or not some else '\n\\ no newline at end\n')

def record(session, options):
    name = os.path.basename(session).removesuffix('.txt')
    folder = os.path.join(options.work, name)
    os.makedirs(folder, exist_ok=True); os.chmod(folder, 0o1777)
    with open(session) as file: lines = file.read().split('\n')
    out, number, at = [], 0, 0
    while at < len(lines):
        line = lines[at]; at += 1
        command = COMMAND.fullmatch(line)
        if line.startswith('[file '):
            body = []
            while at < len(lines) and not lines[at].startswith('[') and not COMMAND.fullmatch(lines[at]):
                body.append(lines[at]); at += 1
            place = os.path.join(folder, line[6:-1])
            with open(place, 'w') as file: file.write('\n'.join(body))
            os.chmod(place, 0o755)
            out += [line, *body]
        elif line.startswith('[pause '):
            out.append(line)
            time.sleep(int(line[7:-1]))
        elif command:
            user, words = command.groups()
            while at < len(lines) and lines[at].startswith('> '): words += '\n' + lines[at][2:]; at += 1
            number += 1
            stdout, stderr, status = run(words, user, folder, options.path and options.path + ':')
            stdout, stderr = (s.replace(folder, '/lab/w/' + name) for s in (stdout, stderr))
            first, *more = words.split('\n')
            out.append(f'[{number:03}] {user}$ {first}')
            out += ['> ' + m for m in more]
            block = text(stdout) + ('--- stderr\n' + text(stderr) if stderr else '') + f'--- exit {status}\n'
            out += block.split('\n')
        elif line: out.append(line)
    with open(os.path.join(options.out, name + '.txt'), 'w') as file: file.write('\n'.join(out) + '\n')

def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('session', nargs='+')
    parser.add_argument('out')
    parser.add_argument('--path', default='')
    parser.add_argument('--work', default='/lab/w')
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    for session in options.session: record(session, options)

if __name__ == '__main__': sys.exit(main())
