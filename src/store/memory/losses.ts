import type { NodeName } from "../../core/ids.ts";
import { lostNodeDeath } from "../lost-node.ts";
import type { Exhausted } from "../port.ts";
import type { MemoryJob } from "./job.ts";
import type { Leases } from "./leases.ts";
import type { JobTable, Loss } from "./table.ts";

/** What becomes of the jobs of nodes that are gone: a sweep queues them again, or hands them to a node to fail them. */
export class Losses {
  readonly #jobs: JobTable;
  readonly #leases: Leases;
  /** Jobs that a sweep handed to a node and that it still has to fail, with the node that was lost. */
  readonly #handed = new Map<MemoryJob, NodeName>();

  constructor(jobs: JobTable, leases: Leases) {
    this.#jobs = jobs;
    this.#leases = leases;
  }

  isHanded(job: MemoryJob): boolean {
    return this.#handed.has(job);
  }

  /** The job has ended, or goes back. */
  settle(job: MemoryJob): void {
    this.#handed.delete(job);
  }

  /** The node's lease ran out. */
  lose(node: NodeName, nowMs: number): void {
    for (const job of this.#leases.take(node)) this.#jobs.lose(job, this.#lossOf(job, node), nowMs);
    this.#jobs.strand(node, nowMs);
  }

  /** The node gives its lease back. */
  leave(node: NodeName, nowMs: number): void {
    const jobs = this.#leases.take(node);
    this.#jobs.strand(node, nowMs);
    for (const job of jobs) {
      const loss = this.#lossOf(job, node);
      if (job.isAtMostOnce || loss.isDecided) this.#jobs.lose(job, loss, nowMs);
      else this.#jobs.giveBack(job, { nowMs });
    }
  }

  /** Decides on lost jobs. Gives those that the sweeping node has to fail. */
  sweep(node: NodeName, maxDeaths: number, nowMs: number): Exhausted[] {
    for (const lapsed of this.#leases.lapsed(nowMs)) this.lose(lapsed, nowMs);
    const running = this.#leases.running(node, nowMs);
    for (const [job, loss] of this.#jobs.lost) {
      const isExhausted = loss.isDecided || job.deaths + 1 >= maxDeaths || job.isAtMostOnce;
      // Only a node with a lease can fail a job, so without one the job waits for the next node that sweeps.
      if (isExhausted && running === undefined) continue;
      this.#jobs.lost.delete(job);
      countDeath(job, loss);
      if (!isExhausted || running === undefined) {
        this.#jobs.requeue(job, nowMs);
        continue;
      }
      this.#jobs.start(job, node, nowMs);
      running.add(job);
      this.#handed.set(job, loss.node);
    }
    return this.#handedTo(node);
  }

  #handedTo(node: NodeName): Exhausted[] {
    return [...this.#handed]
      .filter(([job]) => job.node === node)
      .map(([{ id, attempt, deaths, isAtMostOnce, label, pastDeaths }, lostNode]) => {
        return { id, attempt, deaths, isAtMostOnce, lostNode, label, pastDeaths };
      });
  }

  /** One that was handed to this node is decided on already: it is not this node that it was lost with. */
  #lossOf(job: MemoryJob, node: NodeName): Loss {
    const ranOn = this.#handed.get(job);
    this.#handed.delete(job);
    return { node: ranOn ?? node, isDecided: ranOn !== undefined };
  }
}

function countDeath(job: MemoryJob, { node, isDecided }: Loss): void {
  if (isDecided) return;
  job.deaths += 1;
  job.pastDeaths = [...job.pastDeaths, lostNodeDeath(job.attempt, node)];
}
