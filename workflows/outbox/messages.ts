/** What the `outbox` workflow is started with; all that it is told is to wake (../work-when-due). */
export interface OutboxInput {
  organizationId: string;
}
