"""Which missing capability makes a command differ: the first rule that matches the command, the case and both
outputs. A command that differs for several reasons counts under the first."""
import re

def cmd(pattern): return lambda c, g, x, k: re.search(pattern, c)
def ours(pattern): return lambda c, g, x, k: re.search(pattern, x['err'] + x['out'])
def slurms(pattern): return lambda c, g, x, k: re.search(pattern, g['err'] + g['out'])
def case(pattern): return lambda c, g, x, k: re.search(pattern, k)
def every(*rules): return lambda *w: all(r(*w) for r in rules)
def some(*rules): return lambda *w: any(r(*w) for r in rules)
def lacks(pattern): return lambda c, g, x, k: re.search(pattern, g['out']) and not re.search(pattern, x['out'])

RULES = [
    ('heterogeneous jobs', case('^21_')),
    ('--json: v0.0.38 there, v0.0.42 here', cmd('--json')),
    ('what earlier recordings left: usage, jobs of the day', some(case('^26_'), every(case('^22_'), cmd('sacct -X -S')), cmd('squeue -t F '))),
    ('values of the recorded computer (load, free memory, plugins, its configuration)',
        some(cmd(r'show config|--mpi=list|%O|%e'), every(case('^19_'), cmd('assoc_mgr')))),
    ('counts of the controller (sdiag)', cmd('sdiag')),
    ('fair share 0 of a cluster just made', some(every(case('^01_'), cmd('sshare')), every(case('^02_'), cmd('%all|%A|-o JobID,JobName,Part')),
                                                every(case('^06_'), cmd('%Q')),
                                                every(case('^03_'), cmd('show job 11')))),
    ('-d: which cores, which cards', some(cmd(r'scontrol -dd? '), case('^17_'))),
    ('memory that is not allocated (CR_Core)', every(cmd('show node'), case('^02_'))),
    ('batch step: what it used', every(case('^02_'), cmd('sacct|sstat'))),
    ('spool of slurmd in what scripts print', some(every(cmd(r'^cat slurm-'), case('^(03|13)_')), cmd('arr-20'))),
    ('array elements: numbers given in advance, listed one by one', case('^04_')),
    ('dependencies: text of what is gone, passes between updates', case('^05_')),
    ('state FAIL or DOWN after a return (ReturnToService=2)', case('^11_')),
    ('deadline: looked at every 30 s', case('^07_')),
    ('expected starts: whole nodes, order of the plan', some(case('^08_'), cmd('--start'))),
    ('preemption happens at once', case('^20_')),
    ('reservation: RESERVED of nodes', case('^18_')),
    ('--tmp, order of shut-out jobs, partition maxnodes', case('^14_')),
    ('srun, sbatch -v: ports, task numbers, blocks of detail', some(cmd(r'\bsrun\b'), cmd('-v '), case('^23_'))),
    ('wording of messages', lambda c, g, x, k: g['err'] != x['err']),
    ('a pass between two commands', every(cmd('^squeue'), some(slurms('None|PD'), ours('PD')))),
    ('order of rows', lambda c, g, x, k: sorted(g['out'].split()) == sorted(x['out'].split())),
]

def reason(case, command, slurm, ours):
    return next((name for name, rule in RULES if rule(command, slurm, ours, case)), 'other')
