/** Every workflow type the worker runs. */
export { massSms } from './mass-sms/workflow.ts';
