/** The samples. */
import { type Case, first, named, sample, samples, second, stop, third } from './changes.ts';

export const messagesCases = {
  sample_count: {
    severity: 'error',
    twilioCode: 30893,
    found: [
      ['messageSamples', samples(first)],
      ['messageSamples', samples(first, second, third, first, second, third)],
    ],
    not: [samples(first, second), samples(first, second, third, first, second), samples()],
  },
  sample_length: {
    severity: 'error',
    twilioCode: 30893,
    found: [
      ['messageSamples[1]', sample('Bluebird: hello')],
      // Judged as it will be sent: without numbering, quotes and stray spaces.
      ['messageSamples[1]', sample('1. "Bluebird:    STOP"')],
      ['messageSamples[1]', sample(`Bluebird. STOP ${'x'.repeat(1_010)}`)],
    ],
    not: [sample('Bluebird: text STOP.'), sample(`Bluebird. STOP ${'x'.repeat(1_009)}`)],
  },
  samples_alike: {
    severity: 'warning',
    twilioCode: 30893,
    found: [['messageSamples', samples(`1. Bluebird: hi [name]! ${stop}`, `2) Bluebird: Hi [first name]. ${stop}`)]],
    not: [samples(`Bluebird: hi [name]! ${stop}`, `Bluebird: bye [name]! ${stop}`), samples(first)],
  },
  samples_without_brand: {
    severity: 'error',
    twilioCode: 30893,
    found: [['messageSamples', samples(`Your interview is tomorrow. ${stop}`, `A job for you: [job]. ${stop}`)]],
    not: [
      samples(`Your interview is tomorrow. ${stop}`, `BLUE BIRD STAFFING has a job for you. ${stop}`),
      samples(`Your interview is tomorrow. ${stop}`, `Bluebird's jobs of today: [jobs]. ${stop}`),
      { ...samples(`Café Noël: your table is ready. ${stop}`, `Hello! ${stop}`), context: named('Cafe Noel, Inc.') },
    ],
  },
  sample_without_brand: {
    severity: 'warning',
    twilioCode: 30893,
    found: [
      ['messageSamples[1]', sample(`Your interview is tomorrow at [time]. ${stop}`)],
      ['messageSamples[1]', sample(`Staffing news of today for you: [news]. ${stop}`)],
    ],
    not: [sample(`Hi from Bluebird! Your interview is tomorrow. ${stop}`)],
  },
  samples_without_opt_out: {
    severity: 'error',
    twilioCode: 30893,
    found: [
      ['messageSamples', samples('Bluebird: stop by our office today at 5.', 'Bluebird: STOP BY TODAY FOR A SNACK!')],
      ['messageSamples', samples('Bluebird: take the bus, stop 12, at 8 am.', 'Bluebird: reply YES to confirm it.')],
    ],
    not: [
      'Reply STOP to opt out',
      'reply stop to unsubscribe',
      'Text "stop" to end',
      'STOP=end',
      'Stop2End',
      'Respond with STOP.',
      'To opt out, visit bluebirdstaffing.com/out',
      'STOP to quit',
    ].map((words) => samples('Bluebird: your shift starts at 8 am.', `Bluebird: a new job for you. ${words}`)),
  },
  sample_without_opt_out: {
    severity: 'warning',
    twilioCode: 30893,
    found: [['messageSamples[1]', sample('Bluebird: stop by to sign your contract.')]],
    not: [sample('Bluebird: stop by to sign. Reply STOP to end.')],
  },
  url_shortener: {
    severity: 'error',
    twilioCode: 30892,
    found: ['https://bit.ly/3x', 'bit.ly/abc', 'www.tinyurl.com/y', 'HTTP://T.CO/abc', 'bit.ly'].map((link) => [
      'messageSamples[1]',
      sample(`Bluebird: see ${link} today. ${stop}`),
    ]),
    not: [
      sample(`Bluebird: see https://rabbit.ly/jobs today. ${stop}`),
      sample(`Bluebird: see https://bluebirdstaffing.com/bit.ly today. ${stop}`),
      sample(`Bluebird: write to jobs@bit.ly today. ${stop}`),
    ],
  },
  link_not_declared: {
    severity: 'error',
    twilioCode: 30889,
    found: [
      'https://bluebirdstaffing.com/jobs',
      'bluebirdstaffing.com',
      'www.bluebirdstaffing.com',
      'bluebird.work/jobs',
      '[job link]',
      '{{job.url}}',
    ].map((link) => [
      'hasEmbeddedLinks',
      { draft: { hasEmbeddedLinks: false, messageSamples: [third, `Bluebird: see ${link}. ${stop}`] } },
    ]),
    not: ['jobs@bluebirdstaffing.com', 'us at 5 p.m.today', '[name]', 'level 3.5 and/or Node.js'].map((text) => ({
      draft: { hasEmbeddedLinks: false, messageSamples: [third, `Bluebird: see ${text}. ${stop}`] },
    })),
  },
  link_not_shown: {
    severity: 'warning',
    twilioCode: 30889,
    found: [['hasEmbeddedLinks', samples(second, third)]],
    not: [samples(second, `Bluebird: see [link to the job]. ${stop}`)],
  },
  phone_not_declared: {
    severity: 'error',
    twilioCode: 30889,
    found: [
      '(512) 555-0144',
      '512.555.0144',
      '+1 512 555 0144',
      '+442079460958',
      '5125550144',
      '555-0144',
      '1-800-FLOWERS',
      'XXX-XXX-XXXX',
      '[phone number]',
      '{{user.phone}}',
    ].map((number) => [
      'hasEmbeddedPhone',
      { draft: { hasEmbeddedPhone: false, messageSamples: [first, `Bluebird: call ${number}. ${stop}`] } },
    ]),
    not: [
      'Order 5125550144',
      'Parcel 1Z9998887776665554',
      'Invoice #512-555-0144-7',
      'On 2026-12-24, 10-12 am',
      'ZIP 78701-1234',
      'https://x.com/512-555-0144',
      'Your [phone model]',
      'Earn $1,200-1,500',
    ].map((text) => ({ draft: { hasEmbeddedPhone: false, messageSamples: [first, `Bluebird: ${text}. ${stop}`] } })),
  },
  phone_not_shown: {
    severity: 'warning',
    twilioCode: 30889,
    found: [['hasEmbeddedPhone', samples(first, third)]],
    not: [samples(first, `Bluebird: call 512-555-0144. ${stop}`)],
  },
} satisfies Record<string, Case>;
