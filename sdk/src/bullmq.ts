export {
  inContext,
  tenantProcessor,
  type BullJob,
  type TenantProcessorOptions,
} from './messaging/bullmq/tenant-jobs.js'
