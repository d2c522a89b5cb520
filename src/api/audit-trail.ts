/** Sees to it that every request that could change something is told of once, whatever becomes of its answer. */
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isMutation } from './admission.ts';
import type { Audit, AuditEntry } from './audit.ts';
import type { Caller } from './caller.ts';
import type { Problem } from './problem.ts';
import type { Answer, ApiRoute } from './route.ts';

export interface AuditTrail {
  /** A request has come. */
  begin(request: FastifyRequest, reply: FastifyReply): void;
  /** It was let in, and this is carried out for it. */
  follow(request: IncomingMessage, group: ApiRoute['group'], answer: Promise<Answer>): void;
  /** Its answer has left. */
  end(request: FastifyRequest, reply: FastifyReply): void;
}

type Outcome = Pick<AuditEntry, 'status' | 'actor' | 'about'>;

interface Step {
  /** Of its sender, whose socket forgets it. */
  readonly address: string;
  /** Undefined: nothing is carried out. */
  outcome: Promise<Outcome> | undefined;
  isTold: boolean;
}

/** As proxies write it down: the client left before all of its request was here, and nothing was carried out. */
const CLIENT_LEFT = 499;

/**
 * @param callerOf undefined: it was not let in
 * @param toProblem what anything that was thrown is answered with
 */
export function createAuditTrail(
  audit: Pick<Audit, 'record'>,
  callerOf: (request: IncomingMessage) => Caller | undefined,
  toProblem: (error: unknown) => Problem,
): AuditTrail {
  const steps = new WeakMap<IncomingMessage, Step>();

  async function tell(
    { raw }: Pick<FastifyRequest, 'raw'>,
    { address, outcome }: Step,
    answered: number,
    left: boolean,
  ): Promise<void> {
    // What was asked for is carried out whether or not somebody waits: what came of it is what happened.
    const known = await outcome;
    const actor = known?.actor ?? actorOf(callerOf(raw));
    audit.record({
      ...(actor === undefined ? {} : { actor }),
      address,
      method: raw.method ?? '',
      path: pathOf(raw),
      status: left ? (known?.status ?? answered) : answered,
      ...(left ? { left } : {}),
      ...(known?.about === undefined ? {} : { about: known.about }),
    });
  }

  return {
    begin(request, reply) {
      if (!isMutation(request.method)) return;
      const step: Step = {
        address: request.socket.remoteAddress ?? '',
        outcome: undefined,
        isTold: false,
      };
      steps.set(request.raw, step);
      reply.raw.once('close', () => {
        if (step.isTold) return;
        step.isTold = true;
        void tell(request, step, reply.sent ? reply.statusCode : CLIENT_LEFT, true);
      });
    },
    follow(request, group, answer) {
      const step = steps.get(request);
      if (step === undefined) return;
      step.outcome = answer.then(
        (given) => outcomeOf(group, given),
        (error: unknown) => ({ status: toProblem(error).body.status }),
      );
    },
    end(request, reply) {
      const step = steps.get(request.raw);
      if (step === undefined || step.isTold) return;
      step.isTold = true;
      void tell(request, step, reply.statusCode, false);
    },
  };
}

/** A job is named by its id where the path does not. */
function outcomeOf(group: ApiRoute['group'], { status, actor, about, body }: Answer): Outcome {
  const id = group === 'jobs' && typeof body === 'object' ? Reflect.get(body, 'id') : undefined;
  const said = about ?? (typeof id === 'string' ? `job ${id}` : undefined);
  return {
    status,
    ...(actor === undefined ? {} : { actor }),
    ...(said === undefined ? {} : { about: said }),
  };
}

/** A change is open to a token alone: who shows none wants to log in, and has not done so. */
function actorOf(caller: Caller | undefined): string | undefined {
  return caller?.by === 'loopback' ? undefined : caller?.actor;
}

/** Without its query. */
export function pathOf({ url }: Pick<IncomingMessage, 'url'>): string {
  return url?.split('?', 1)[0] ?? '';
}
