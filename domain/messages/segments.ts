/** Segments of a message as carriers count them (H2): GSM-7 160/153 characters, UCS-2 70/67. */
import { SegmentedMessage } from 'sms-segments-calculator';

export interface Segments {
  encoding: 'GSM-7' | 'UCS-2';
  segments: number;
  characters: number;
}

/** Characters of GSM-7 that count once: with nothing else, counting needs no table. */
const plainGsm = /^[\n !"#$%&'()*+,\-./0-9:;<=>?@A-Z_a-z£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà]+$/;

/**
 * One unit of UCS-2 each, and none that belongs to the one before it: Latin, Greek, Cyrillic, the punctuation of books,
 * Japanese, Chinese and Korean. A text of these that is not GSM-7 is cut anywhere.
 */
const letters = String.raw`\n -~\u00A1-\u00AC\u00AE-\u02FF\u0391-\u03A1\u03A3-\u03CE\u0400-\u0481\u2010-\u2027`;
const plainUnicode = new RegExp(`^[${letters}\u3041-\u3096\u30A1-\u30FA\u4E00-\u9FFF\uAC00-\uD7A3]+$`);
/** What makes a text of these UCS-2: all but ASCII, of which some count twice, and the letters of GSM-7. */
const beyondGsm = /[^\n -~£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà]/;

/**
 * Counts by the library; the commonest texts without it, since it takes half a millisecond a text, which would hold back
 * a batch, and a forecast of thousands of names. A property test holds the two together.
 */
export function countSegments(body: string): Segments {
  if (plainGsm.test(body)) {
    const characters = body.length;
    return { encoding: 'GSM-7', segments: characters <= 160 ? 1 : Math.ceil(characters / 153), characters };
  }
  if (plainUnicode.test(body) && beyondGsm.test(body)) {
    const characters = body.length;
    return { encoding: 'UCS-2', segments: characters <= 70 ? 1 : Math.ceil(characters / 67), characters };
  }
  const message = new SegmentedMessage(body);
  return {
    encoding: message.encodingName,
    segments: message.segmentsCount,
    characters: message.numberOfCharacters,
  };
}
