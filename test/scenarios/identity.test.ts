import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { startSupervisor } from '../support/supervisor.ts';

const isRoot = process.getuid?.() === 0;
const NONE = '0'.repeat(16);

const TELLS = `[sh, -c, 'grep -E "^(Uid|Gid|Groups|Cap(Eff|Bnd)|NoNewPrivs)" /proc/self/status; echo "$$HOME $$USER $$LOGNAME"; umask; ulimit -n; echo told; exec sleep 1000'], ready: { log: ^told }`;

describe('who a service is', () => {
  test.runIf(isRoot)(
    'law 34: its user, groups, home, umask and limits are what its stanza says',
    async () => {
      const [, , uid, gid, , home] =
        readFileSync('/etc/passwd', 'utf8')
          .match(/^daemon:.*$/m)?.[0]
          .split(':') ?? [];
      await using bulkhead = await startSupervisor({
        plan: `
version: 1
services:
  app: { user: daemon, umask: 027, ulimits: { nofile: { soft: 100, hard: 200 } }, command: ${TELLS} }
`,
      });
      await bulkhead.ready();
      const log = bulkhead.log('app');
      expect(log).toMatch(new RegExp(`Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'));
      expect(log).toMatch(new RegExp(`Gid:\\s+${gid}\\s+${gid}\\s+${gid}\\s+${gid}$`, 'm'));
      expect(log).toContain(`${home} daemon daemon`);
      expect(log).toContain('0027');
      expect(log).toMatch(/\b100$/m);
      const { stdout } = await bulkhead.run('exec', 'app', '--', 'sh', '-c', 'id -u; umask; ulimit -n');
      expect(stdout).toBe(`${uid}\n0027\n100\n`);
    },
  );

  test('law 34: a service has no capability and can gain none, unless the plan says so', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  plain: { command: ${TELLS} }
  ${isRoot ? `named: { user: daemon, cap_add: [NET_BIND_SERVICE], command: ${TELLS} }` : ''}
`,
    });
    await bulkhead.ready();
    expect(bulkhead.log('plain')).toContain(`CapEff:\t${NONE}`);
    expect(bulkhead.log('plain')).toMatch(/NoNewPrivs:\s+1/);
    if (isRoot) {
      expect(bulkhead.log('plain')).toContain(`CapBnd:\t${NONE}`);
      expect(bulkhead.log('named')).toContain('CapEff:\t0000000000000400');
      expect(bulkhead.log('named')).toContain(`CapBnd:\t${NONE}`);
    }
  });

  test.runIf(isRoot)(
    'one that is privileged takes nothing from itself, and gives nothing to others',
    async () => {
      await using bulkhead = await startSupervisor({
        plan: `
version: 1
services:
  mighty: { privileged: true, command: ${TELLS} }
  plain: { command: ${TELLS} }
  other: { user: daemon, command: ${TELLS} }
`,
      });
      await bulkhead.ready();
      expect(bulkhead.log('mighty')).toMatch(/NoNewPrivs:\s+0/);
      expect(bulkhead.log('mighty')).not.toContain(`CapEff:\t${NONE}`);
      for (const name of ['plain', 'other']) {
        expect(bulkhead.log(name)).toContain(`CapEff:\t${NONE}`);
        expect(bulkhead.log(name)).toContain(`CapBnd:\t${NONE}`);
        expect(bulkhead.log(name)).toMatch(/NoNewPrivs:\s+1/);
      }
    },
  );

  test.runIf(isRoot)(
    'one whose user nobody knows is not started, and the container ends with 13',
    async () => {
      await using bulkhead = await startSupervisor({
        plan: `
version: 1
services:
  app: { user: no-such-user, command: [sh, -c, 'touch {folder}/started'] }
`,
      });
      expect((await bulkhead.finished).code).toBe(13);
      expect(bulkhead.output()).toContain('cannot find user "no-such-user"');
      expect(existsSync(`${bulkhead.folder}/started`)).toBe(false);
    },
  );

  test('one whose limits the container has not is not started, with the reason', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { ulimits: { nofile: 900000000000 }, command: [sh, -c, 'touch {folder}/started'] }
`,
    });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain('cannot set ulimits.nofile to 900000000000');
    expect(existsSync(`${bulkhead.folder}/started`)).toBe(false);
  });

  test('when memory ends, services go before the supervisor, and each where its plan says', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  plain: { command: [sleep, '1000'] }
  first: { command: [sleep, '1000'], oom_score_adj: 900 }
`,
    });
    await bulkhead.ready();
    const { services } = await bulkhead.status();
    const scoreOf = (pid: number | undefined): number =>
      Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1'));
    const ours = scoreOf(bulkhead.child.pid);
    expect(services.map(({ name, pid }) => [name, scoreOf(pid) - (name === 'first' ? 0 : ours)])).toEqual([
      ['plain', 200],
      ['first', 900],
    ]);
  });
});

describe('the environment of a service', () => {
  test('law 33: the environment of a service is in no other service, no answer and no event', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { command: [sleep, '1000'], environment: { API_KEY: hush-hush } }
  other: { command: [sh, -c, 'env; echo told; exec sleep 1000'], ready: { log: told } }
`,
    });
    await bulkhead.ready();
    const { services } = await bulkhead.status();
    for (const { name, pid } of services) {
      expect(readFileSync(`/proc/${pid}/environ`, 'latin1').includes('hush-hush')).toBe(name === 'app');
    }
    for (const args of [['status', '--json'], ['config', 'show'], ['events', '--json'], ['logs']]) {
      expect((await bulkhead.run(...args)).stdout).not.toContain('hush-hush');
    }
    expect(readFileSync(`${bulkhead.dataDir}/bulkhead/events.ndjson`, 'utf8')).not.toContain('hush-hush');
  });
});
