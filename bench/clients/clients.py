#!/usr/bin/env python3
"""Runs programs that speak to a Slurm centre, as PyPI has them, against a Xinghe centre.

Each program is installed into a virtual environment of its own (kept below --venv), and its check runs in a
folder of its own against a new centre in real time whose jobs run for real. What is
printed at the end is the table of docs/commands.md: program, version, what was done, and whether it worked.

    clients.py --bin FOLDER [--only NAME,...] [--venv FOLDER] [--markdown FILE]
"""
import argparse, getpass, os, re, shutil, subprocess, sys, tempfile, textwrap, time

HERE = os.path.dirname(os.path.abspath(__file__))


class Client:
    def __init__(self, name, packages, what, script=None, command=None, expects='', listens=False):
        self.name, self.packages, self.what = name, packages.split(), what
        self.script, self.command, self.expects = script, command, expects
        # Whether the centre listens on the network: $XINGHE_URL is where, $SLURM_JWT a token for it.
        self.listens = listens


# Every question of a generated client, in the versions that it has. A call that its models cannot
# read raises.
REST = '''
import inspect, os, time
import MODULE as rest
here = rest.Configuration(host=os.environ['XINGHE_URL'])
here.api_key = {'user': os.environ['USER'], 'token': os.environ['SLURM_JWT']}
client = rest.ApiClient(here)
slurm, slurmdb = rest.SlurmApi(client), rest.SlurmdbApi(client)
asked = 0
for version in VERSIONS:
    def call(api, verb, **given):
        method = getattr(api, f'{"slurmdb" if api is slurmdb else "slurm"}_{version}_{verb}')
        return method(**given)
    def model(name):
        return getattr(rest, version.upper() + name)
    job = model('JobDescMsg')(name='rest', partition='host', environment=['PATH=/usr/bin:/bin'], tasks=1,
                              current_working_directory=os.getcwd(), standard_output='out-%j')
    limit = {'set': True, 'infinite': False, 'number': 5}
    job.time_limit = type(job).model_fields['time_limit'].annotation.__args__[0].model_validate(limit)
    script = '#!/bin/sh\\necho hello from $SLURM_JOB_ID\\n'
    submitted = call(slurm, 'post_job_submit', **{f'{version}_job_submit_req': model('JobSubmitReq')(script=script, job=job)})
    number = submitted.job_id
    assert number and not submitted.errors, submitted
    while call(slurmdb, 'get_job', job_id=str(number)).jobs[0].state.current != ['COMPLETED']: time.sleep(0.2)
    assert open(f'out-{number}').read() == f'hello from {number}\\n'
    node = next(node.name for node in call(slurm, 'get_nodes').nodes if 'host' in node.partitions)
    names = {'job_id': str(number), 'node_name': node, 'partition_name': 'host', 'account_name': 'guest',
             'name': os.environ['USER'], 'id': '1', 'qos': 'normal', 'cluster_name': 'any', 'reservation_name': 'course'}
    if hasattr(slurm, f'slurm_{version}_post_reservation'):
        course = model('ReservationDescMsg')(name='course', users=[os.environ['USER']], node_list=[node])
        when = {'set': True, 'infinite': False, 'number': int(time.time()) + 36000}
        fields = type(course).model_fields
        course.start_time = fields['start_time'].annotation.__args__[0].model_validate(when)
        course.duration = fields['duration'].annotation.__args__[0].model_validate(dict(limit, number=60))
        call(slurm, 'post_reservation', **{f'{version}_reservation_desc_msg': course})
    for api in (slurm, slurmdb):
        for name in dir(api):
            part = f'{"slurmdb" if api is slurmdb else "slurm"}_{version}_get_'
            verb = name.removeprefix(part)
            if not name.startswith(part) or verb.endswith(('_with_http_info', '_without_preload_content')): continue
            if verb in LACKING or (verb == 'ping' and api is slurmdb and version == 'v0041'): continue
            if verb == 'reservation' and not hasattr(slurm, f'slurm_{version}_post_reservation'): continue
            wanted = inspect.signature(getattr(api, name)).parameters
            answer = call(api, 'get_' + verb, **{key: value for key, value in names.items() if key in wanted and
                                                 wanted[key].default is inspect.Parameter.empty})
            assert not answer.errors, answer
            asked += 1
    quality = {'name': 'course', 'priority': dict(limit, number=7), 'flags': ['DENY_LIMIT'],
               'preempt': {'list': ['normal'], 'mode': ['REQUEUE']},
               'limits': {'max': {'wall_clock': {'per': {'job': dict(limit, number=60)}},
                                  'tres': {'per': {'user': [{'type': 'cpu', 'count': 8}]}}}}}
    sent = model('OpenapiSlurmdbdQosResp').from_dict({'qos': [quality]})
    assert not call(slurmdb, 'post_qos', **{f'{version}_openapi_slurmdbd_qos_resp': sent}).errors
    made = call(slurmdb, 'get_single_qos', qos='course').qos[0]
    assert made.priority.number == 7 and made.flags == ['DENY_LIMIT'] and made.preempt.list == ['normal'], made
    assert call(slurmdb, 'delete_single_qos', qos='course').removed_qos == ['course']
    if hasattr(slurm, f'slurm_{version}_delete_reservation') and hasattr(slurm, f'slurm_{version}_post_reservation'):
        call(slurm, 'delete_reservation', reservation_name='course')
    job.hold = True
    held = call(slurm, 'post_job_submit', **{f'{version}_job_submit_req': model('JobSubmitReq')(script=script, job=job)}).job_id
    change = model('JobDescMsg')(name='changed')
    call(slurm, 'post_job', job_id=str(held), **{f'{version}_job_desc_msg': change})
    assert call(slurm, 'get_job', job_id=str(held)).jobs[0].name == 'changed'
    call(slurm, 'delete_job', job_id=str(held))
    assert call(slurm, 'get_job', job_id=str(held)).jobs[0].job_state == ['CANCELLED']
    allocated = call(slurm, 'post_job_allocate', **{f'{version}_job_alloc_req': model('JobAllocReq')(job=change)})
    call(slurm, 'delete_job', job_id=str(allocated.job_id))
    try:
        call(slurm, 'get_job', job_id='4000000')
        raise SystemExit('a job that there is not')
    except rest.ApiException as error:
        assert error.status == 404, error
print('worked:', asked, 'questions')
'''


def rest(module, versions, lacking=()):
    return (textwrap.dedent(REST).replace('MODULE', module).replace('VERSIONS', repr(versions))
            .replace('LACKING', repr(tuple(lacking))))


CLIENTS = [
    Client('submitit', 'submitit', 'a function as a job, an array of three', '''
        import submitit
        executor = submitit.AutoExecutor(folder='logs', cluster='slurm')
        executor.update_parameters(timeout_min=5, slurm_partition='host')
        assert executor.submit(pow, 2, 5).result() == 32
        jobs = executor.map_array(pow, [2, 3, 4], [2, 2, 2])
        assert [job.result() for job in jobs] == [4, 9, 16]
        assert jobs[0].state == 'COMPLETED', jobs[0].state
        print('worked')
        ''', expects='worked'),
    Client('simple-slurm', 'simple-slurm', 'sbatch, srun, queue, cancellation', '''
        import time
        from simple_slurm import Slurm
        slurm = Slurm(partition='host', time='00:05:00', output='out-%j')
        job = slurm.sbatch('sleep 60')
        slurm.squeue.update_squeue()
        assert str(job) in {str(key) for key in slurm.squeue.jobs}, slurm.squeue.jobs
        slurm.scancel.cancel_job(job)
        assert Slurm(partition='host').srun('true') == 0
        print('worked')
        ''', expects='worked'),
    Client('psij-python', 'psij-python', 'a job with its output, to its end', '''
        import os, psij
        executor = psij.JobExecutor.get_instance('slurm')
        spec = psij.JobSpec(executable='/bin/echo', arguments=['hello'],
                            stdout_path=os.path.abspath('out'), directory=os.getcwd())
        spec.attributes = psij.JobAttributes(queue_name='host')
        job = psij.Job(spec)
        executor.submit(job)
        status = job.wait()
        assert status.state == psij.JobState.COMPLETED, status
        assert open('out').read() == 'hello\\n'
        print('worked')
        ''', expects='worked'),
    Client('clusterfutures', 'clusterfutures', 'futures of functions', '''
        import cfut
        with cfut.SlurmExecutor(additional_setup_lines=['#SBATCH -p host']) as executor:
            assert [f.result() for f in [executor.submit(pow, n, 2) for n in (2, 3)]] == [4, 9]
        print('worked')
        ''', expects='worked'),
    Client('qtoolkit', 'qtoolkit', 'script, submission, states, cancellation', '''
        import subprocess
        from qtoolkit.io.slurm import SlurmIO
        io = SlurmIO()
        script = io.get_submission_script('sleep 60', {'partition': 'host', 'job_name': 'qtk', 'ntasks': 1})
        open('job.sh', 'w').write(script)
        def run(command):
            done = subprocess.run(command, shell=True, capture_output=True, text=True)
            return done.returncode, done.stdout, done.stderr
        code, out, err = run(io.get_submit_cmd('job.sh'))
        result = io.parse_submit_output(code, out, err)
        assert result.job_id, (out, err)
        jobs = io.parse_jobs_list_output(*run(io.get_jobs_list_cmd([result.job_id], None)))
        assert jobs and jobs[0].job_id == result.job_id and jobs[0].name == 'qtk', jobs
        job = io.parse_job_output(*run(io.get_job_cmd(result.job_id)))
        assert job.info.nodes == 1, job
        io.parse_cancel_output(*run(io.get_cancel_cmd(result.job_id)))
        print('worked')
        ''', expects='worked'),
    Client('reportseff', 'reportseff', 'efficiency of a job that ended',
           command='sbatch -W -p host --wrap "sleep 2" >/dev/null && reportseff --no-color 1 --format=+jobname',
           expects='COMPLETED'),
    Client('dask-jobqueue', 'dask-jobqueue', 'workers as jobs, a sum, down again', '''
        import time
        from dask_jobqueue import SLURMCluster
        from dask.distributed import Client
        if __name__ == '__main__':
            with SLURMCluster(queue='host', cores=1, memory='512MB', walltime='00:10:00') as cluster:
                cluster.scale(jobs=2)
                with Client(cluster) as client:
                    client.wait_for_workers(2, timeout=120)
                    assert sum(client.gather(client.map(lambda n: n * n, range(10)))) == 285
            print('worked')
        ''', expects='worked'),
    Client('snakemake-executor-plugin-slurm', 'snakemake snakemake-executor-plugin-slurm', 'a workflow of two rules', command='''
        cat > Snakefile <<'END'
        rule all:
            input: 'b'
        rule a:
            output: 'a'
            shell: 'echo one > {output}'
        rule b:
            input: 'a'
            output: 'b'
            shell: 'cat {input} {input} > {output}'
        END
        snakemake --executor slurm --jobs 2 --default-resources slurm_partition=host runtime=5 mem_mb=200 slurm_account=guest \\
            --latency-wait 20 --slurm-init-seconds-before-status-checks 2 && test "$(wc -l < b)" = 2 && echo worked
        ''', expects='worked'),
    Client('executorlib', 'h5py pysqa executorlib', 'functions in jobs of their own', '''
        from executorlib import SlurmClusterExecutor
        template = '#!/bin/bash\\n#SBATCH -p host\\n{{command}}\\n'
        with SlurmClusterExecutor(resource_dict={'submission_template': template}, block_allocation=False) as executor:
            assert executor.submit(pow, 2, 5).result(timeout=120) == 32
        print('worked')
        ''', expects='worked'),
    Client('waldur-site-agent-slurm', 'waldur-site-agent-slurm', 'accounts, users, limits and shares by sacctmgr and by REST', '''
        import os, shutil
        from waldur_site_agent_slurm.client import SlurmClient
        from waldur_site_agent_slurm.rest_client import SlurmRestClient
        programs, resources = os.path.dirname(shutil.which('sacctmgr')), {'cpu': {'unit_factor': 1}}
        commands = SlurmClient(resources, programs)
        door = {'url': os.environ['XINGHE_URL'], 'username': os.environ['USER'], 'token_env': 'SLURM_JWT'}
        rest = SlurmRestClient(resources, door, commands.list_clusters()[0], programs)
        assert rest.list_clusters() == commands.list_clusters() and rest.list_tres() == commands.list_tres()
        for client in (commands, rest):
            assert client.validate_slurm_binary() and client.list_clusters() and 'cpu' in client.list_tres()
            client.create_resource('wgroup', 'a group', 'org')
            client.create_resource('wproject', 'a project', 'org', 'wgroup')
            found = client.get_resource('wproject')
            assert (found.name, found.description, found.organization) == ('wproject', 'a project', 'org'), found
            assert client.get_account_parent('wproject') == 'wgroup'
            client.create_association('alice', 'wproject', 'root')
            assert client.get_association('alice', 'wproject') and client.account_has_users('wproject')
            assert client.list_resource_users('wproject') == ['alice']
            client.set_resource_limits('wproject', {'cpu': 600})
            assert client.get_resource_limits('wproject') == {'cpu': 600}
            client.set_account_fairshare('wproject', 10)
            client.get_usage_report(['wproject'])
            if client is rest:
                assert client.get_account_fairshare('wproject') == 10
                client.set_resource_user_limits('wproject', 'alice', {'cpu': 60})
                assert client.get_resource_user_limits('wproject') == {'alice': {'cpu': 60}}
                assert client.list_active_user_jobs('wproject', 'alice') == []
            client.delete_association('alice', 'wproject')
            client.delete_all_users_from_account('wproject')
            client.delete_resource('wproject')
            client.delete_resource('wgroup')
            assert client.get_resource('wproject') is None
        print('worked')
        ''', expects='worked', listens=True),
    Client('slurmrestapi', 'slurmrestapi==25.11.4.0', 'every question and the life of a job by REST, v0.0.41 to v0.0.44',
           rest('slurmrestapi', ['v0041', 'v0042', 'v0043', 'v0044'], ['resources']),
           expects='worked', listens=True),
    Client('slurmrestpy', 'slurmrestpy==0.0.1', 'every question and the life of a job by REST, v0.0.41 and v0.0.42',
           rest('slurmrestpy', ['v0041', 'v0042']), expects='worked', listens=True),
    Client('parsl', 'parsl', 'blocks as jobs, functions in them', '''
        import parsl
        from parsl.providers import SlurmProvider
        from parsl.executors import HighThroughputExecutor
        from parsl.config import Config
        from parsl.launchers import SimpleLauncher
        @parsl.python_app
        def power(base): return base ** 2
        provider = SlurmProvider(partition='host', nodes_per_block=1, init_blocks=1, max_blocks=1, exclusive=False,
                                 cores_per_node=1, walltime='00:10:00', launcher=SimpleLauncher())
        config = Config(executors=[HighThroughputExecutor(address='127.0.0.1', max_workers_per_node=1, provider=provider)])
        with parsl.load(config):
            assert [f.result(timeout=120) for f in [power(n) for n in (2, 3)]] == [4, 9]
        print('worked')
        ''', expects='worked'),
    # Its own bound of pyzmq has no wheel any more.
    Client('pybatsim', '--no-deps pyzmq docopt procset sortedcontainers pybatsim', 'its schedulers decide in a replay', command='''
        zcat "$WORKLOADS/traces/KTH-SP2-1996-2.1.swf.gz" | head -n 1500 > log.swf
        batsim() { xinghe replay log.swf --policy easy,external "${@:2}" --external \
            "python3 '$WORKLOADS/policies/batsim.py' 'pybatsim $1 -v critical -s \\$BATSIM_ENDPOINT'"; }
        batsim easyBackfill && batsim fillerSched && batsim fillerSchedWithEvents --failures shape=0.7,scale=200h,repair=4h
        ''', expects='digest'),
    Client('slurm2sql', 'slurm2sql', 'jobs as a table of SQLite', command='''
        sbatch -W -p host --wrap 'sleep 1' > /dev/null && slurm2sql jobs.sqlite3 -- -u "$(id -un)" &&
            python -c "import sqlite3; print(*sqlite3.connect('jobs.sqlite3').execute('select JobID, State from slurm').fetchone())"
        ''', expects='COMPLETED'),
    Client('pysqa', 'pysqa', 'a job from a template, its state, its end', '''
        import os, time
        from pysqa import QueueAdapter
        queue = QueueAdapter(queue_type='SLURM')
        job = queue.submit_job(job_name='pysqa', working_directory=os.getcwd(), cores=1,
                               submission_template='#!/bin/bash\\n#SBATCH -p host\\n{{command}}\\n', command='sleep 2')
        assert queue.get_status_of_job(process_id=job) in ('running', 'pending')
        for _ in range(40):
            if queue.get_status_of_job(process_id=job) is None: break
            time.sleep(0.5)
        assert queue.get_status_of_job(process_id=job) is None
        print('worked')
        ''', expects='worked'),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--bin', required=True, help='where xinghe, xinghed and the commands are, by all their names')
    parser.add_argument('--venv', default='/tmp/xinghe-clients')
    parser.add_argument('--only', default='', help='names, separated by commas')
    parser.add_argument('--limit', type=int, default=180, help='seconds for each program')
    parser.add_argument('--markdown', metavar='FILE', help='write the table')
    parser.add_argument('--no-install', action='store_true')
    options = parser.parse_args()
    options.bin = ':'.join(map(os.path.abspath, options.bin.split(':')))
    wanted = [c for c in CLIENTS if not options.only or c.name in options.only.split(',')]
    rows = [run(client, options) for client in wanted]
    table = ['| program | version | what is done | works |', '|---|---|---|---|']
    table += [f'| {name} | {version} | {what} | {verdict} |' for name, version, what, verdict in rows]
    print('\n'.join(table))
    if options.markdown: open(options.markdown, 'w').write('\n'.join(table) + '\n')
    works = sum(row[3] == 'yes' for row in rows)
    print(f'work {works} of {len(rows)}')
    return 0 if works == len(rows) else 1


def run(client, options):
    venv = os.path.join(options.venv, client.name)
    if not os.path.exists(venv + '/bin/pip'):
        subprocess.run([sys.executable, '-m', 'venv', venv], check=True)
    pip = [venv + '/bin/pip', '-q', '--disable-pip-version-check']
    if not options.no_install:
        done = subprocess.run(pip + ['install', *client.packages], capture_output=True, text=True)
        if done.returncode: return client.name, '', client.what, 'cannot be installed'
    shown = subprocess.run([pip[0], 'show', client.packages[-1].split('==')[0]], capture_output=True, text=True).stdout
    version = re.search(r'^Version: (.*)$', shown, re.M)
    folder = tempfile.mkdtemp(prefix='client-')
    socket = folder + '/s'
    environment = dict(os.environ, XINGHE_SOCKET=socket, LANG='C.UTF-8', WORKLOADS=HERE + '/../../workloads',
                       PATH=f'{options.bin}:{venv}/bin:/usr/local/bin:/usr/bin:/bin')
    work = folder + '/work'
    os.mkdir(work)
    centre = ['xinghe', 'up', '--state', folder + '/state', '--socket', socket, '--time', 'real']
    if client.listens: centre += ['--listen', '0']
    subprocess.run(centre, env=environment, check=True, stdout=subprocess.DEVNULL)
    try:
        if client.listens:
            page = subprocess.run(['xinghe', 'open'], env=environment, capture_output=True, text=True, check=True).stdout
            environment['XINGHE_URL'] = re.search(r'http://[^/\s]+', page).group(0)
            token = subprocess.run(['xinghe', 'token'], env=environment, capture_output=True, text=True, check=True)
            environment['SLURM_JWT'] = token.stdout.strip()
            environment['USER'] = getpass.getuser()
        if client.script:
            with open(work + '/check.py', 'w') as file: file.write(textwrap.dedent(client.script))
            words = [venv + '/bin/python', 'check.py']
        else:
            words = ['bash', '-c', textwrap.dedent(client.command)]
        began = time.time()
        try:
            done = subprocess.run(words, cwd=work, env=environment, capture_output=True, text=True,
                                  timeout=options.limit, stdin=subprocess.DEVNULL)
            works = done.returncode == 0 and client.expects in done.stdout
            told = done.stdout + done.stderr
        except subprocess.TimeoutExpired as error:
            works, told = False, f'after {options.limit} s: ' + str(error.stdout)[-2000:] + str(error.stderr)[-2000:]
        if not works: print(f'--- {client.name}\n{told[-3000:]}', file=sys.stderr)
        print(f'{client.name}: {"works" if works else "does not work"} ({time.time() - began:.0f} s)', file=sys.stderr)
        verdict = 'yes' if works else 'no'
    finally:
        subprocess.run(['xinghe', 'down', '--socket', socket], env=environment, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
    return client.name, version.group(1) if version else '', client.what, verdict


if __name__ == '__main__': sys.exit(main())
