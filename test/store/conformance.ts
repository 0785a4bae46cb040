import { describe } from "vitest";
import { describeBlocked } from "./conformance/blocked.ts";
import { describeCancel } from "./conformance/cancel.ts";
import { describeCatalog } from "./conformance/catalog.ts";
import { describeClaim } from "./conformance/claim.ts";
import { describeDelays } from "./conformance/delays.ts";
import { describeEvents } from "./conformance/events.ts";
import { describeExpiry } from "./conformance/expiry.ts";
import { describeFinish } from "./conformance/finish.ts";
import { describeInspection } from "./conformance/inspection.ts";
import { describeLeases } from "./conformance/leases.ts";
import { describeLimits } from "./conformance/limits.ts";
import { describeOffers } from "./conformance/offers.ts";
import { describeOnce } from "./conformance/once.ts";
import { describeOutput } from "./conformance/output.ts";
import { describePlacement } from "./conformance/placement.ts";
import { describeProgress } from "./conformance/progress.ts";
import { describeSpecs } from "./conformance/specs.ts";
import { describeStreaming } from "./conformance/streaming.ts";
import { describeSubmit } from "./conformance/submit.ts";
import { describeTerms } from "./conformance/terms.ts";
import type { OpenStore } from "./support/harness.ts";

/** What every store does, whatever it is made of: one test a sentence of the port. */
export function conformance(name: string, open: OpenStore): void {
  describe(`${name} does as the port says`, () => {
    describeSubmit(open);
    describeClaim(open);
    describeFinish(open);
    describeCancel(open);
    describeOutput(open);
    describeStreaming(open);
    describeProgress(open);
    describeLeases(open);
    describeTerms(open);
    describeEvents(open);
    describeOffers(open);
    describeDelays(open);
    describeExpiry(open);
    describeOnce(open);
    describeLimits(open);
    describePlacement(open);
    describeBlocked(open);
    describeCatalog(open);
    describeInspection(open);
    describeSpecs(open);
  });
}
