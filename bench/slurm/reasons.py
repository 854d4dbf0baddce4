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
    ('no command salloc', ours(r'salloc: command not found')),
    ('no commands sprio, sshare', ours(r'(sprio|sshare): command not found')),
    ('no command sacctmgr', ours(r'sacctmgr: command not found')),
    ('no command sreport', ours(r'sreport: command not found')),
    ('no command sdiag', ours(r'sdiag: command not found')),
    ('no command sstat', ours(r'sstat: command not found')),
    ('no commands sattach, sbcast, strigger', ours(r'(sattach|sbcast|strigger): command not found')),
    ('srun outside a job', some(ours('there is no allocation here'), every(case('^22_'), cmd('squeue|sacct')))),
    ('--json', cmd('--json')),
    ('help texts (--usage, help)', cmd(r'--usage|scontrol help|--helpformat')),
    ('version text (slurm-xinghe)', ours('slurm-xinghe')),
    ('reservations', some(case('^18_'), cmd('reservation'))),
    ('heterogeneous jobs', case('^21_')),
    ('QOS and association limits, associations', some(case('^19_'), cmd('assoc_mgr'))),
    ('preemption by QOS', every(case('^20_'), cmd('squeue|scontrol|sacct'))),
    ('suspend, resume', some(cmd(r'scontrol (suspend|resume)'), slurms(r'\bS  +M:SS|  S    '))),
    ('scripts of emulated nodes do not run: output files', some(cmd(r'^(cat|ls)\b'), cmd(r'; cat '))),
    ('artefact of the recording', some(every(cmd(r'sinfo.*(%n|nodehost|%O|%e)'), slurms(r'\bvm\b|20748')), case('^26_'), cmd('ElapsedRaw'))),
    ('sinfo, squeue, sacct: fields and formats', cmd(r'%all|gresused|-O (all|bogus)|-o "%"|-S bogus|sacct -l|-R -l')),
    ('scripts of emulated nodes do not run: exit codes, traps',
        some(every(case('^(03|09|13)_'), some(slurms(r'FAILED|JobLaunchFailure|COMPLETED|CD'), cmd('-W'))),
             every(case('^05_'), cmd('squeue|scontrol|sacct'), slurms(r'failed|FAILED|NeverSatisfied'), lambda c, g, x, k: not re.search('-J', c)),
             every(case('^05_'), cmd('dependency=$|squeue -j 38')),
             every(case('^04_'), slurms(r'FAILED|NonZero')),
             every(case('^10_'), slurms('0:15|0:9')))),
    ('requeue: 121 s of BeginTime, sacct -D', some(every(case('^(11|12|27)_'), some(slurms('BeginTime|REQUEUED'), cmd('requeue'))),
                                           every(case('^(11|27)_'), cmd('sinfo|squeue|sacct|show job'), ours(r'\bmix\b|PENDING')))),
    ('node down: ReturnToService, state FAIL', every(case('^(11|27)_'), some(cmd('sinfo|show node'), slurms('Valid states')))),
    ('expected starts of waiting jobs (--start, StartTime, SchedNodeList)', some(cmd('--start'), every(cmd('%S'), ours('N/A')), lacks(r'SchedNodeList'))),
    ('--deadline', cmd('deadline')),
    ("dependencies: '?', after+minutes, how array elements are named", every(case('^05_'), cmd(r"\?|\+1|squeue|-O"))),
    ('array elements: numbers, throttle, cancelled ones, text of long lists', case('^04_')),
    ('memory of a job that asks for none (TRES mem=)', lacks(r'mem=16000M')),
    ('priority as a number (multifactor)', every(cmd('squeue'), ours('42949'))),
    ('steps of emulated jobs (sacct, show step, listpids)', some(slurms(r'\b\d+\.0 '), slurms(r'\.0\|'), cmd('show steps?|listpids'))),
    ('spread of tasks and cores over nodes, number of nodes', some(slurms('CPUAlloc=6'), every(case('^16_'), cmd('squeue|sinfo|show job')))),
    ('scontrol -d (CPU_IDs, GRES of a job)', cmd(r'scontrol -dd? ')),
    ('scontrol show partition (PriorityTier, PreemptMode, MinNodes)', cmd('show partition')),
    ('scontrol: keywords and entities that are missing', ours(r'invalid (keyword|entity)')),
    ('scontrol show config', cmd('show config')),
    ('cards: which job gets them, sub-fields', case('^17_')),
    ('who may change what (limits, priority, nice)', some(cmd(r'timelimit=(99-0|120)$|nice=50|priority=(999999|1)$'), every(case('^24_'), cmd('squeue')))),
    ('scontrol update: fields and spelling', some(cmd(r'scontrol update|numnodes'), every(case('^24_'), cmd('show jobs')))),
    ('refuses what Slurm lets wait (partition of others, ...)', some(cmd('-p priv'), every(case('^(14|15)_'), cmd('squeue')))),
    ('reason texts (UnavailableNodes, PartitionNodeLimit, ...)', every(slurms(r'UnavailableNodes|NodeLimit|Nodes required'))),
    ('wording of messages', lambda c, g, x, k: g['err'] != x['err']),
    ('order of rows', lambda c, g, x, k: sorted(g['out'].split()) == sorted(x['out'].split())),
]

def reason(case, command, slurm, ours):
    return next((name for name, rule in RULES if rule(command, slurm, ours, case)), 'other')
