/**
 * The cases in which supervisors fail their users, each as one sentence, with whom it has failed. A test proves a case
 * by its title, which begins with `law <number>: `; docs/behaviours.md is made from both.
 */

export interface Law {
  readonly number: number;
  /** What holds, whatever happens. */
  readonly sentence: string;
  /** Supervisors, inits and images that fail it, with the thread or source that shows it. */
  readonly peers: string;
  /** What of the case no test here proves, and why: one line. */
  readonly argued?: string;
}

export const LAWS: readonly Law[] = [
  {
    number: 1,
    sentence: 'Orphans are reaped: no zombie stays, however many a service makes.',
    peers: 'plain Node as PID 1, pm2, supervisord (#936), containerpilot (#409, #447), pebble (#71, mended)',
  },
  {
    number: 2,
    sentence: 'A child that holds the pipe does not hold up the decision about its dead leader.',
    peers: 'process-compose (#450), pebble (#149)',
  },
  {
    number: 3,
    sentence: 'A stop is told when the whole group is gone, and says what had to be killed.',
    peers: 'process-compose (#520), supervisord (#1101), pebble (#594), foreman (#628)',
  },
  {
    number: 4,
    sentence: 'What leaves the session is found and killed, so that its port is free for the next start.',
    peers: 'supervisord (#1101), pebble (#594), process-compose (#520)',
  },
  {
    number: 5,
    sentence: 'Zombies count as dead: waiting for a group of zombies does not hang.',
    peers: 'whoever asks kill(-group, 0) under an init that does not reap; circus (#802)',
  },
  {
    number: 6,
    sentence: 'A stop ends in stopped from every state, with no later start and no timer left.',
    peers: 'process-compose (#280, #530), circus (PR#536), pebble (source: backoff)',
  },
  {
    number: 7,
    sentence: 'Restarting what still waits for a dependency ends in exactly one process.',
    peers: 'process-compose (#530)',
  },
  {
    number: 8,
    sentence: 'Fifty mixed commands at once end in the last accepted one, never with two processes.',
    peers: 'process-compose (#530), circus (#1154, #831)',
  },
  {
    number: 9,
    sentence:
      'An exit right after the start is an exit like any other: policy, growing waits, forgotten when stable.',
    peers: 'pebble (#240, mended), systemd (#6129, #43813)',
  },
  {
    number: 10,
    sentence: 'A slow crash loop backs off more and more and is given up inside its window.',
    peers: 'supervisord (#487, #1189), pm2 (#839)',
  },
  {
    number: 11,
    sentence: 'A start that the system refuses is a failure with a reason, tried again, never stranded.',
    peers:
      'pebble (source: a spawn error in backoff arms no timer), supervisord (spawn_fork_fail tests exist for it)',
  },
  {
    number: 12,
    sentence: 'Giving up reaches those who depend on it, with its reason; a critical one ends the container.',
    peers: 'dinit (#249), process-compose (#280), supervisord (#733, #1182)',
  },
  {
    number: 13,
    sentence: 'An exit code the plan calls fatal is not tried again.',
    peers: 'supervisord (its default exit codes hid crashes of Go), pebble, pm2; s6 and systemd have it',
  },
  {
    number: 14,
    sentence: 'A limit of restarts that its own waits make unreachable is said when the plan is checked.',
    peers: 'systemd (RestartSteps with StartLimit, #2416): accepted in silence',
  },
  {
    number: 15,
    sentence: 'A jump of the wall clock makes nothing happen at once and nothing wait for ever.',
    peers: 'supervisord (asserts and hangs at a rollback, changes 3.2 and 3.3)',
  },
  {
    number: 16,
    sentence: 'Readiness is what was asked for: dependents start after it, and its time limit fails it.',
    peers:
      'pebble (#712), supervisord (#122), pm2 (wait_ready ends in "online" though nobody was ready), Horust (#277)',
  },
  {
    number: 17,
    sentence: 'A dependency that flaps stops nobody who runs; who comes late waits, then starts.',
    peers: 'process-compose (#544, #189)',
  },
  {
    number: 18,
    sentence: 'A probe that hangs is killed with its whole group, and never two run at once.',
    peers: 'containerpilot (#447)',
  },
  {
    number: 19,
    sentence: 'A failing check leads to exactly one graceful restart.',
    peers: 'process-compose (#403), pebble (#149), systemd (#1970)',
  },
  {
    number: 20,
    sentence: 'PostgreSQL is stopped fast and clean while clients are connected.',
    peers:
      'docker-library/postgres (#184, #503), discourse_docker (#44), bitnami postgresql (#79), pebble (no stop signal)',
  },
  {
    number: 21,
    sentence: 'A first boot that is interrupted leaves no half of it; the next boot does it again.',
    peers: 'pebble (#371), s6-overlay (#457)',
  },
  {
    number: 22,
    sentence:
      'Everything stops against its dependencies and within the budget, the share of the database kept.',
    peers: 'supervisord (#520), s6-overlay (#628, #534), process-compose (unordered by default)',
  },
  {
    number: 23,
    sentence: 'A second signal escalates once; whatever comes after it changes nothing.',
    peers: 'supervisord before 3.3.5 (HUP cancelled a stop), overmind (PR#86)',
  },
  {
    number: 24,
    sentence: 'A stop ends the commands that people have running, and does not wait for them.',
    peers: 'pebble (#371)',
    argued: 'not yet for schedules: it comes with them',
  },
  {
    number: 25,
    sentence: 'Exit codes tell the truth: of a command the program’s own, of the container its first cause.',
    peers: 'supervisord (#775: always 0), s6-overlay (#183, #270), Horust (#121: every signal is −137)',
  },
  {
    number: 26,
    sentence: 'Every stop signal of a plan arrives as that very signal.',
    peers: 'pebble (no stop signal), Horust (leader only)',
  },
  {
    number: 27,
    sentence: 'Children begin with clean signals, whatever the supervisor was started with.',
    peers: 'dumb-init before PR#174 (#136); whoever spawns from Python or Node and leaves SIGPIPE ignored',
  },
  {
    number: 28,
    sentence: 'It works at any process id, and reaps all the same.',
    peers: 's6-overlay (#383, freescout#165, docker-unms#80)',
  },
  {
    number: 29,
    sentence: 'It runs in a locked-down container and writes nowhere but in its state folders.',
    peers: 's6-overlay (#397, #578, home-ops#12851), pebble (needs its folder writable)',
  },
  {
    number: 30,
    sentence: 'The last words before a kill -9 are in the log, before the exit is told.',
    peers: 'pm2 (#5816)',
  },
  {
    number: 31,
    sentence: 'Hostile output costs bounded memory and nobody else anything.',
    peers: 'supervisord (#638), process-compose (#57), pm2 (#6125, #4026)',
  },
  {
    number: 32,
    sentence: 'A sink that takes nothing, whichever it is, stops no service and not the supervisor.',
    peers: 'process-compose (PR#495, #508), pm2 (#4737), supervisord in Docker (docker/docs#17298)',
  },
  {
    number: 33,
    sentence: 'A secret reaches the service it is meant for and nobody else; a removed one is gone.',
    peers: 'pm2 (#3486, #3960, #6073, #6089), pebble (PR#785)',
  },
  {
    number: 34,
    sentence: 'A service runs as its user with all of its groups, or not at all.',
    peers:
      'supervisord before 3.0b2 (ran as root instead), s6 and supervisord (HOME stays), Node’s uid option (drops the groups)',
  },
  {
    number: 35,
    sentence: 'A reload touches the least, takes several changes at once, and of a broken file nothing.',
    peers: 'dinit (#426), supervisord (HUP restarts everything), circus (#1154)',
  },
  {
    number: 36,
    sentence: 'What people ask for is never counted as a failure, not even of a critical service.',
    peers: 'process-compose (notes of 1.122)',
  },
  {
    number: 37,
    sentence: 'A schedule never runs twice for one moment, whatever clocks and overlaps do.',
    peers: 'supervisord (#635: out of scope), s6, pebble (none)',
  },
  {
    number: 38,
    sentence: 'The control door takes no name for code, and is taken over only from the dead.',
    peers:
      'supervisord (CVE-2017-11610, CVE-2019-12105), process-compose (GHSA-5gm3-9crp-6g3v), containerpilot (#480), pm2 (CVE-2025-5891)',
  },
  {
    number: 39,
    sentence:
      'A supervisor that is killed takes everything with it, and the next boot believes nothing stale.',
    peers: 'GitLab Omnibus (needed clean_stale_pids), pebble (PR#709, PR#714: replayed tasks)',
  },
  {
    number: 40,
    sentence:
      'Restarts and logs without end leave memory, descriptors, timers and listeners where they were.',
    peers: 'pm2 (#6113, #4554), pebble (PR#877)',
    argued:
      'the test counts descriptors and processes; memory, over thousands of restarts and a gigabyte of logs, is measured by bench/soak.mjs, which is too long for a test',
  },
];
