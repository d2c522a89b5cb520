import { ACCESS_ROUTES } from './access-routes.ts';
import { ALERT_ROUTES } from './alert-routes.ts';
import { BACKUP_ROUTES } from './backup-routes.ts';
import { CONFIGURATION_ROUTES } from './configuration-routes.ts';
import { DATABASE_ROUTES } from './database-routes.ts';
import { JOB_ROUTES } from './job-routes.ts';
import { OPERATION_ROUTES } from './operation-routes.ts';
import { PRODUCT_ROUTES } from './product-routes.ts';
import type { ApiRoute } from './route.ts';
import { SCHEDULE_ROUTES } from './schedule-routes.ts';
import { SERVICE_ROUTES } from './service-routes.ts';

/** Everything the API serves, in the order people are shown it. */
export const ROUTES: readonly ApiRoute[] = [
  ...JOB_ROUTES,
  ...SCHEDULE_ROUTES,
  ...ALERT_ROUTES,
  ...PRODUCT_ROUTES,
  ...SERVICE_ROUTES,
  ...OPERATION_ROUTES,
  ...BACKUP_ROUTES,
  ...DATABASE_ROUTES,
  ...CONFIGURATION_ROUTES,
  ...ACCESS_ROUTES,
];
