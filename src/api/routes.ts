import { ALERT_ROUTES } from './alert-routes.ts';
import { JOB_ROUTES } from './job-routes.ts';
import { PRODUCT_ROUTES } from './product-routes.ts';
import type { ApiRoute } from './route.ts';
import { SCHEDULE_ROUTES } from './schedule-routes.ts';

/** Everything the API serves, in the order people are shown it. */
export const ROUTES: readonly ApiRoute[] = [
  ...JOB_ROUTES,
  ...SCHEDULE_ROUTES,
  ...ALERT_ROUTES,
  ...PRODUCT_ROUTES,
];
