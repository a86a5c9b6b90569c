/** Sizes, and what every measurement is given beside the stack. */

export interface Sizes {
  batch: number;
  repetitions: number;
  /** Recipients of the smaller and the larger batch whose memory is compared. */
  memory: readonly [number, number];
  /** Seconds over which pacing is judged. */
  pacingSeconds: number;
  /** Messages of contacts, one at a time. */
  liveMessages: number;
}

export const full: Sizes = {
  batch: 25_000,
  repetitions: 3,
  memory: [5_000, 100_000],
  pacingSeconds: 20,
  liveMessages: 300,
};

/** Shows in about a minute that everything works; its figures say nothing. */
export const quick: Sizes = { batch: 1_500, repetitions: 1, memory: [500, 3_000], pacingSeconds: 4, liveMessages: 30 };

export interface Measuring {
  sizes: Sizes;
  /** Whether aims are judged: not with sizes that are too small for it. */
  judge: boolean;
  report: (line: string) => void;
  /** The name of a list with so many contacts of the organization that sends. */
  list: (count: number) => Promise<string>;
  /** Waits until this many messages of a mass SMS are known as delivered. */
  allDelivered: (massSmsId: string, count: number) => Promise<void>;
}
