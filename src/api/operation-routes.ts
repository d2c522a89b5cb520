/** The routes about what takes longer than a request. */
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { answerOf } from './begin.ts';
import { requireRole } from './caller.ts';
import { operationAnswer, operationList } from './operation-schemas.ts';
import type { OperationView } from './operations.ts';
import { Problem } from './problem.ts';
import type { ApiRoute, Asked, Served } from './route.ts';
import { nothing } from './schemas.ts';

export const OPERATION_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/operations',
    group: 'operations',
    role: 'viewer',
    summary: 'what was begun, newest first: how far it is, and what came of it',
    answers: { 200: { what: 'the operations', schema: operationList } },
    run: (_asked, { operations }) => ({
      status: 200,
      body: { schemaVersion: SCHEMA_VERSION, operations: operations.list() },
    }),
  },
  {
    method: 'GET',
    path: '/operations/:id',
    group: 'operations',
    role: 'viewer',
    summary: 'one operation',
    answers: { 200: { what: 'the operation', schema: operationAnswer }, 404: { what: 'unknown-operation' } },
    run: (asked, served) => ({ status: 200, body: answerOf(find(asked, served)) }),
  },
  {
    method: 'POST',
    path: '/operations/:id/cancel',
    group: 'operations',
    role: 'operator',
    summary: 'end an operation as Ctrl-C ends a command; a service that was asked to start goes on starting',
    body: nothing,
    answers: {
      202: { what: 'it is being ended', schema: operationAnswer },
      404: { what: 'unknown-operation' },
      409: { what: 'finished' },
    },
    run: (asked, served) => {
      const view = find(asked, served);
      // Half a restore is somebody's, too: only who may begin one ends one.
      requireRole(asked.caller, view.role);
      if (!served.operations.cancel(view.id)) throw new Problem(409, 'finished', 'it has ended');
      return { status: 202, body: answerOf(view) };
    },
  },
];

function find({ params }: Asked, { operations }: Served): OperationView {
  const view = operations.get(params.id ?? '');
  if (view) return view;
  throw new Problem(404, 'unknown-operation', 'there is no such operation', {
    remedy: 'those of long ago, or of before the last start of the container, are in GET /audit',
  });
}
