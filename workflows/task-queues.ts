/** Bulk work has its own queue, so that a batch of 25,000 never delays a command or an approval. */
export const taskQueues = {
  /** Workflows and short activities. */
  control: 'longwave-control',
  /** Sending. */
  bulk: 'longwave-bulk',
  /** Deliveries to addresses that customers gave: however slowly those answer, they take no place of anything else. */
  webhooks: 'longwave-webhooks',
} as const;
