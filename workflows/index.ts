/** Every workflow type the worker runs. */
export { brandVerification } from './brand-verification/workflow.ts';
export { campaignReview } from './campaign-review/workflow.ts';
export { digest } from './digest/workflow.ts';
export { massSms } from './mass-sms/workflow.ts';
export { optIn } from './opt-in/workflow.ts';
export { outbox } from './outbox/workflow.ts';
export { numberProvisioning } from './number-provisioning/workflow.ts';
export { registration } from './registration/workflow.ts';
export { statusReconciliation } from './status-reconciliation/workflow.ts';
export { webhookDelivery } from './webhook-delivery/workflow.ts';
