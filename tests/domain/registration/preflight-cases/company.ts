/** Who registers. */
import { type Case, type Change, draft, email, named, publicly, street, website } from './changes.ts';

export const companyCases = {
  missing: {
    severity: 'error',
    twilioCode: 22215,
    found: [
      ['legalName', draft({ legalName: ' \n' })],
      ['regionsOfOperation', draft({ regionsOfOperation: [] })],
      ['representative.title', draft({ representative: { title: '' } })],
      ['stockTicker', draft({ companyType: 'public' })],
      ['stockExchange', draft({ companyType: 'public', stockExchange: ' ' })],
    ],
    not: [
      draft({ companyType: 'private' }),
      // The representative's address stands in.
      draft({ companyType: 'public', stockTicker: 'BLUE', stockExchange: 'NYSE' }),
      publicly('legal@bluebirdstaffing.com'),
    ],
  },

  legal_name_suffix: {
    severity: 'warning',
    twilioCode: 30795,
    found: [
      ['legalName', draft({ legalName: 'Bluebird Staffing, Inc.' })],
      ['legalName', draft({ legalName: 'Bluebird Staffing LLC' })],
      ['legalName', draft({ legalName: 'Bluebird Staffing L.L.C.' })],
    ],
    not: [draft({ legalName: 'Bluebird Zinc' }), draft({ legalName: 'LLC Bluebird Staffing' })],
  },
  legal_name_differs: {
    severity: 'warning',
    twilioCode: 30894,
    found: [['legalName', draft({ legalName: 'Sloan Holdings' })]],
    not: [
      draft({ legalName: 'BLUEBIRD STAFFING, L.L.C.' }),
      { draft: { legalName: 'Café & Co. Inc' }, context: named('Cafe and') },
    ],
  },
  registration_number_shape: {
    severity: 'error',
    twilioCode: 30795,
    found: ['123', '123-456789', '47-382910A', '11-1111111', '000000000', '473-829-105'].map((registrationNumber) => [
      'registrationNumber',
      draft({ registrationNumber }),
    ]),
    not: [
      draft({ registrationNumber: ' 473829105 ' }),
      draft({ registrationIdentifier: 'VAT', registrationNumber: 'DE123' }),
    ],
  },
  url_invalid: {
    severity: 'error',
    twilioCode: 30891,
    found: [
      'bluebirdstaffing.com',
      'ftp://bluebirdstaffing.com',
      'javascript:alert(1)',
      'http://localhost:3000',
      'https://10.0.0.8/x',
      'https://127.1',
      'https://[::1]/',
      'https://intranet/',
      'our website',
    ].map((address) => ['website', draft({ website: address })]),
    not: [
      draft({ website: 'https://localhost.bluebirdstaffing.com' }),
      draft({ website: ' https://10.bluebirdstaffing.com' }),
    ],
  },
  url_not_secure: {
    severity: 'warning',
    twilioCode: 30891,
    found: [['website', draft({ website: 'http://bluebirdstaffing.com' })]],
    not: [draft({ website: 'https://bluebirdstaffing.com/http:' })],
  },
  url_unreachable: {
    severity: 'warning',
    twilioCode: 30891,
    found: [['website', website({ reachable: false, detail: 'no such host' })]],
    not: [website(null), website({ reachable: true, status: 200 })],
  },
  url_refused: {
    severity: 'warning',
    twilioCode: 30891,
    found: [
      ['website', website({ reachable: true, status: 404 })],
      ['website', website({ reachable: true, status: 503 })],
    ],
    not: [website({ reachable: true, status: 301 }), website({ reachable: false, detail: 'timed out' })],
  },
  website_domain_differs: {
    severity: 'warning',
    twilioCode: 30891,
    found: [
      ['website', draft({ website: 'https://www.facebook.com/bluebirdstaffing' })],
      ['website', { context: { organization: { name: 'Bluebird Staffing', domain: 'bluebird.co.uk' } } }],
    ],
    not: [
      draft({ website: 'https://jobs.bluebirdstaffing.com' }),
      {
        draft: { website: 'https://jobs.bluebird.co.uk' },
        context: { organization: { name: 'Bluebird Staffing', domain: 'https://www.Bluebird.co.uk' } },
      },
    ],
  },
  po_box: {
    severity: 'error',
    twilioCode: 30799,
    found: [
      ...['P.O. Box 12', 'PO BOX 12', 'p o box 12', 'Post Office Box 7', 'POB 7', 'Case postale 8'].map(
        (text): [string, Change] => ['address.street', street(text)],
      ),
      ['address.street2', draft({ address: { street2: 'P. O. Box 99' } })],
    ],
    not: [
      street('12 Box Elder Road'),
      street('8 Post Office Square'),
      street('3 Po Boxer Street'),
      street('Depot Box 4'),
    ],
  },
  private_mailbox: {
    severity: 'warning',
    twilioCode: 30799,
    found: [['address.street2', draft({ address: { street2: 'PMB 120' } })]],
    not: [street('12 Pmbroke Street')],
  },
  email_malformed: {
    severity: 'error',
    twilioCode: null,
    found: [
      ...['rosa', 'rosa@', 'rosa@host', 'a@b..com', 'Rosa <rosa@x.com>', 'a@x.com, b@x.com'].map(
        (text): [string, Change] => ['representative.email', email(text)],
      ),
      ['brandContactEmail', publicly('legal at bluebirdstaffing.com')],
      ['notificationEmail', draft({ notificationEmail: 'ops@@x.com' })],
    ],
    not: [email(" rosa.o'neil+sms@jobs.bluebirdstaffing.com "), draft({ notificationEmail: 'ops@gmail.com' })],
  },
  brand_email_free: {
    severity: 'error',
    twilioCode: 21740,
    found: [
      ['brandContactEmail', publicly('bluebird@Gmail.com')],
      ['brandContactEmail', publicly('bluebird@yahoo.co.uk')],
      [
        'representative.email',
        draft({
          companyType: 'public',
          stockTicker: 'BLUE',
          stockExchange: 'NYSE',
          representative: { email: 'rosa@gmail.com' },
        }),
      ],
    ],
    not: [
      publicly('legal@bluebirdstaffing.com'),
      draft({ brandContactEmail: 'bluebird@gmail.com' }),
      publicly('legal@gmail.bluebirdstaffing.com'),
    ],
  },
  brand_email_domain: {
    severity: 'error',
    twilioCode: 21740,
    found: [['brandContactEmail', publicly('legal@bluebird-holdings.com')]],
    not: [publicly('legal@corp.bluebirdstaffing.com'), publicly('bluebird@gmail.com')],
  },
  representative_email_free: {
    severity: 'warning',
    twilioCode: 18601,
    found: [['representative.email', email('rosa@outlook.com')]],
    not: [
      email('rosa@outlook.bluebirdstaffing.com'),
      { draft: { website: 'not yet', representative: { email: 'r@gmail.com' } } },
    ],
  },
  representative_email_domain: {
    severity: 'warning',
    twilioCode: 18601,
    found: [['representative.email', email('rosa@agency.com')]],
    not: [email('rosa@mail.bluebirdstaffing.com')],
  },
  phone_invalid: {
    severity: 'error',
    twilioCode: null,
    found: ['12345', 'call me', '+1 512 555 01', '512-555-0144 ext. 7'].map((phone) => [
      'representative.phone',
      draft({ representative: { phone } }),
    ]),
    not: [
      draft({ representative: { phone: '(512) 555-0144' } }),
      draft({ representative: { phone: '+442079460958' } }),
    ],
  },
} satisfies Record<string, Case>;
