/** Searching what is on sale: which places a query means, and which numbers there. */
import { invalidParameter } from '../http/errors.ts';
import type { Values } from '../openapi/operation.ts';
import { areaCodeOf, milesBetween, placeOf, PLACES, type Place } from './area-codes.ts';
import { containsMatcher } from './contains.ts';
import type { Inventory } from './inventory.ts';

/** The filters that mean something here. Every number can text, call and send pictures, and needs no address. */
interface Query {
  AreaCode?: number;
  Contains?: string;
  InRegion?: string;
  InPostalCode?: string;
  InLocality?: string;
  InRateCenter?: string;
  InLata?: string;
  NearNumber?: string;
  NearLatLong?: string;
  Distance?: number;
  SmsEnabled?: boolean;
  MmsEnabled?: boolean;
  VoiceEnabled?: boolean;
  FaxEnabled?: boolean;
}

/** A number on sale. */
export interface Offer {
  phoneNumber: string;
  place: Place;
}

/** Miles. */
const DEFAULT_DISTANCE = 25;
const MAX_DISTANCE = 500;
const RATE_CENTER_LENGTH = 10;

/** As carriers write it: short, in capitals. A guess, made of the name of the city. */
export function rateCenter({ locality }: Place): string {
  return locality
    .toUpperCase()
    .replaceAll(/[^A-Z ]/g, '')
    .slice(0, RATE_CENTER_LENGTH)
    .trim();
}

const PLACE_FILTERS: Record<string, (place: Place) => string | null> = {
  InRegion: ({ region }) => region,
  InPostalCode: ({ postalCode }) => postalCode,
  InLocality: ({ locality }) => locality,
  InRateCenter: rateCenter,
  InLata: ({ lata }) => lata,
};

const plain = (text: string) => text.replaceAll(/\s/g, '').toLowerCase();

/** Whether a place is where the `In…` filters say, which name it or give a number that is there. */
function isIn(place: Place, query: Values): boolean {
  return Object.entries(PLACE_FILTERS).every(([name, property]) => {
    const wanted = query[name];
    if (typeof wanted !== 'string') return true;
    const here = property(place);
    if (here === null) return false;
    if (areaCodeOf(wanted) === undefined) return plain(wanted) === plain(here);
    const there = placeOf(wanted);
    return there !== undefined && property(there) === here;
  });
}

/** The point of a `Near…` filter: undefined without one, null where it is not known. */
function centre({ NearNumber, NearLatLong }: Query): Pick<Place, 'latitude' | 'longitude'> | null | undefined {
  if (NearNumber !== undefined) {
    if (areaCodeOf(NearNumber) === undefined) throw invalidParameter(`NearNumber ${NearNumber} is not a phone number`);
    return placeOf(NearNumber) ?? null;
  }
  if (NearLatLong === undefined) return undefined;
  const [, latitude, longitude] = /^(-?\d+(?:\.\d+)?),\s*(-?\d+(?:\.\d+)?)$/.exec(NearLatLong) ?? [];
  if (longitude === undefined) throw invalidParameter(`NearLatLong ${NearLatLong} is not two numbers with a comma`);
  return { latitude: Number(latitude), longitude: Number(longitude) };
}

/** The places a query means, the nearest first where it asks for near ones, else by area code. */
function placesOf(country: string, query: Query & Values): Place[] {
  const { AreaCode, Distance: distance = DEFAULT_DISTANCE } = query;
  if (distance < 0 || distance > MAX_DISTANCE) throw invalidParameter(`Distance should be 0 to ${MAX_DISTANCE} miles`);
  if (query.InRateCenter !== undefined && query.InLata === undefined) {
    throw invalidParameter('InRateCenter needs InLata');
  }
  const places = [...PLACES.values()].filter(
    (place) =>
      place.country === country &&
      (AreaCode === undefined || place.areaCode === String(AreaCode)) &&
      isIn(place, query),
  );
  const point = centre(query);
  if (point === undefined) return places;
  if (point === null) return [];
  return places
    .map((place) => ({ place, miles: milesBetween(point, place) }))
    .filter(({ miles }) => miles <= distance)
    .toSorted((a, b) => a.miles - b.miles)
    .map(({ place }) => place);
}

/**
 * What is on sale in a country and fits a query.
 *
 * @throws {TwilioError} 20001 for a filter that means nothing
 */
export function search(inventory: Inventory, country: string, values: Values, limit: number): Offer[] {
  const query: Query & Values = values;
  const { Contains, SmsEnabled, MmsEnabled, VoiceEnabled, FaxEnabled } = query;
  const fits = Contains === undefined ? () => true : containsMatcher(Contains);
  const places = placesOf(country, query);
  if (SmsEnabled === false || MmsEnabled === false || VoiceEnabled === false || FaxEnabled === true) return [];
  const offers: Offer[] = [];
  for (const place of places) {
    for (const phoneNumber of inventory.onSale(place.areaCode)) {
      if (offers.length >= limit) return offers;
      if (fits(phoneNumber)) offers.push({ phoneNumber, place });
    }
  }
  return offers;
}
