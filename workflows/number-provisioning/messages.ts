/** What the `numberProvisioning` workflow is given. It takes no messages: where it stands is read from Postgres. */
export interface NumberProvisioningInput {
  organizationId: string;
  jobId: string;
  /** What earlier runs of a long one have done. */
  carried?: NumberProgress;
}

export interface NumberProgress {
  version: 1;
  done: number;
  failed: number;
}
