/** Segments of a message as carriers count them (H2): GSM-7 160/153 characters, UCS-2 70/67. */
import { SegmentedMessage } from 'sms-segments-calculator';

export interface Segments {
  encoding: 'GSM-7' | 'UCS-2';
  segments: number;
  characters: number;
}

/** Characters of GSM-7 that are ASCII and count once: with nothing else, counting needs no table. */
const plainGsm = /^[\n !"#$%&'()*+,\-./0-9:;<=>?@A-Z_a-z]+$/;

/**
 * Counts by the library; the commonest texts without it, since it takes half a millisecond a text, which would hold back
 * a batch. A property test holds the two together.
 */
export function countSegments(body: string): Segments {
  if (plainGsm.test(body)) {
    const characters = body.length;
    return { encoding: 'GSM-7', segments: characters <= 160 ? 1 : Math.ceil(characters / 153), characters };
  }
  const message = new SegmentedMessage(body);
  return {
    encoding: message.encodingName,
    segments: message.segmentsCount,
    characters: message.numberOfCharacters,
  };
}
