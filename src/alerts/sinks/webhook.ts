import { createHmac } from 'node:crypto';
import type { Outgoing } from '../post.ts';
import { messageOf } from './message.ts';
import type { Told } from './told.ts';

/** Our own JSON, signed over the bytes of the body, as GitHub does. */
export function webhook(url: string, secret: string | undefined, told: Told): Outgoing {
  const body = JSON.stringify(messageOf(told));
  return {
    url,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(secret === undefined ? {} : { 'x-bulkhead-signature': sign(body, secret) }),
    },
    body,
  };
}

function sign(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}
