/** What a caller hears. */
import { describe, expect, it } from 'vitest';
import { answerToCall } from '../../twilio/voice.ts';

const call = { caller: '+12125550123', line: '+13125550100', organizationName: 'Acme', forwardTo: '+13125550199' };
const xml = '<?xml version="1.0" encoding="UTF-8"?>';
const said = (organizationName: string | null) => answerToCall({ ...call, organizationName, forwardTo: null });

describe('a call', () => {
  it('rings the phone it is forwarded to for 20 seconds, and shows who calls', () => {
    expect(answerToCall(call)).toBe(
      `${xml}<Response><Dial timeout="20" answerOnBridge="true" callerId="+12125550123"><Number>+13125550199</Number></Dial></Response>`,
    );
  });

  it.each(['Anonymous', '', '+266696687', '+86282452253', 'sip:ada@example.com', 'client:ada', '2125550123', '+1'])(
    'from "%s", which is no number, shows the line',
    (caller) => {
      expect(answerToCall({ ...call, caller })).toContain('callerId="+13125550100"');
    },
  );

  it('that is not forwarded is told that the number is for texts, by whom, and ends', () => {
    expect(said('Acme')).toBe(
      `${xml}<Response><Say>You have reached Acme. This number is for text messages only. Please send us a text message instead. Goodbye.</Say><Hangup/></Response>`,
    );
  });

  it('to a number that is not known is told no more than that', () => {
    expect(said(null)).toBe(
      `${xml}<Response><Say>This number is for text messages only. Please send us a text message instead. Goodbye.</Say><Hangup/></Response>`,
    );
  });

  it('is answered whatever an organization is called', () => {
    expect(said('A & B <c>')).toContain('<Say>You have reached A &amp; B &lt;c&gt;. This');
    expect(said('Tab\tand\u0001\uFFFEbell')).toContain('<Say>You have reached Tab and bell. This');
    expect(said('Émilie 👩‍👧 Ltd')).toContain('You have reached Émilie 👩‍👧 Ltd. ');
    expect(said('\u0007')).toBe(said(null));
  });
});
