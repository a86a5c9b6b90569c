/**
 * What Twilio has on sale: per area code a shelf of numbers, less those that somebody has. The same numbers in the same order every
 * time, so that two searches agree.
 */
import type { Behaviour } from '../faults.ts';
import type { Kept } from '../persistence.ts';
import { areaCodeOf, PLACES } from './area-codes.ts';
import type { PhoneNumbers } from './phone-number.ts';

/** Numbers on the shelf of an area code that the behaviour does not name. */
const PLENTY = 1_000;
/** Exchanges 200 to 999 with 10,000 lines each. */
const LINES = 8_000_000;
/** Has no factor in common with `LINES`: the walk reaches every line before it repeats one, and neighbours are far apart. */
const STRIDE = 4_944_271;

/** The numbers of an area code, seemingly at random. Never an exchange like 411, nor 555, where made-up numbers live. */
function* numbersOf(areaCode: string): Generator<string> {
  const start = Number(areaCode) * 7_919;
  for (let step = 0; step < LINES; step += 1) {
    const line = 2_000_000 + ((start + step * STRIDE) % LINES);
    const exchange = Math.floor(line / 10_000);
    if (exchange % 100 !== 11 && exchange !== 555) yield `+1${areaCode}${line}`;
  }
}

export class Inventory implements Kept {
  readonly #phoneNumbers: PhoneNumbers;
  #wanted: Behaviour['inventory'] = {};
  /** By area code; those the behaviour does not name are filled when they are first asked for. */
  #shelves = new Map<string, Set<string>>();
  /** Bought by other customers of Twilio, who do not give them back. */
  #sold = new Set<string>();

  constructor(phoneNumbers: PhoneNumbers) {
    this.#phoneNumbers = phoneNumbers;
  }

  /** Fills the shelves: with so many numbers that nobody has now, or with these. */
  stock(wanted: Behaviour['inventory']): void {
    this.#wanted = wanted;
    this.#shelves.clear();
    for (const [areaCode, numbers] of Object.entries(wanted)) {
      this.#shelves.set(areaCode, typeof numbers === 'number' ? this.#first(areaCode, numbers) : new Set(numbers));
    }
  }

  #first(areaCode: string, count: number): Set<string> {
    const shelf = new Set<string>();
    for (const phoneNumber of numbersOf(areaCode)) {
      if (shelf.size >= count) break;
      if (this.#isFree(phoneNumber)) shelf.add(phoneNumber);
    }
    return shelf;
  }

  #shelf(areaCode: string): Set<string> | undefined {
    let shelf = this.#shelves.get(areaCode);
    if (shelf === undefined && PLACES.has(areaCode)) {
      this.#shelves.set(areaCode, (shelf = this.#first(areaCode, PLENTY)));
    }
    return shelf;
  }

  #isFree(phoneNumber: string): boolean {
    return !this.#phoneNumbers.byNumber.has(phoneNumber) && !this.#sold.has(phoneNumber);
  }

  /** What a search finds in an area code, in its order; nothing where the area code is not known. */
  *onSale(areaCode: string): Generator<string> {
    for (const phoneNumber of this.#shelf(areaCode) ?? []) if (this.#isFree(phoneNumber)) yield phoneNumber;
  }

  /**
   * Whether a number can be bought. Twilio has more numbers than it shows: any free one of a known area code, but where the
   * behaviour says what is on sale, only that.
   */
  canBeBought(phoneNumber: string): boolean {
    const areaCode = areaCodeOf(phoneNumber) ?? '';
    if (!PLACES.has(areaCode) || !this.#isFree(phoneNumber)) return false;
    return this.#wanted[areaCode] === undefined || this.#shelf(areaCode)?.has(phoneNumber) === true;
  }

  /** Another customer of Twilio buys a number. */
  sellToAnother(phoneNumber: string): void {
    this.#sold.add(phoneNumber);
  }

  isSoldToAnother(phoneNumber: string): boolean {
    return this.#sold.has(phoneNumber);
  }

  /** A number that was released is on sale again, for everybody and at once. */
  takeBack(phoneNumber: string): void {
    this.#shelf(areaCodeOf(phoneNumber) ?? '')?.add(phoneNumber);
  }

  /** The numbers other customers have; what is on the shelves is behaviour, and is not kept. */
  toJSON(): string[] {
    return [...this.#sold];
  }

  /** Phone numbers have to be there before. */
  restore(sold: string[]): void {
    this.#sold = new Set(sold);
    this.stock(this.#wanted);
  }
}
