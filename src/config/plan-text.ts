/**
 * A text of the plan. Late values (`DATABASE_URL`, generated secrets) are not known when the plan is read;
 * they stay as holes and are filled each time the service starts.
 */
export type Text = string | { readonly parts: readonly (string | { readonly late: LateName })[] };

/**
 * Names that are legal in `${…}` though nothing sets them yet: resolved at start from /data/secrets; those of an
 * instance already when replicas.ts makes the instances.
 */
export type LateName = 'DATABASE_URL' | 'NEXTAUTH_SECRET' | 'BULKHEAD_INSTANCE' | 'BULKHEAD_INSTANCE_PORT';
