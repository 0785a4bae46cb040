import { endOf, startOf } from "./offsets.ts";

/** Changes to a text, by offsets of the original. */
export class Edits {
  readonly list: [start: number, end: number, text: string][] = [];
  readonly #source: string;
  readonly #offset: number;

  constructor(source: string, offset: number) {
    this.#source = source;
    this.#offset = offset;
  }

  replace(node: object, text: string): void {
    this.list.push([this.#start(node), this.#end(node), text]);
  }

  /** Line breaks stay, so that what follows keeps its line. */
  blank(node: object): void {
    this.#blankRange(this.#start(node), this.#end(node));
  }

  blankBetween(before: object, last: object): void {
    this.#blankRange(this.#end(before), this.#end(last));
  }

  surround(node: object, before: string, after: string): void {
    this.list.push([this.#start(node), this.#start(node), before], [this.#end(node), this.#end(node), after]);
  }

  insertAfterStart(block: object, text: string): void {
    this.list.push([this.#start(block) + 1, this.#start(block) + 1, text]);
  }

  insertAtEnd(text: string): void {
    const end = this.#source.lastIndexOf("}");
    this.list.push([end, end, text]);
  }

  #blankRange(start: number, end: number): void {
    this.list.push([start, end, this.#source.slice(start, end).replace(/[^\n]/g, " ")]);
  }

  #start(node: object): number {
    return startOf(node) - this.#offset;
  }

  #end(node: object): number {
    return endOf(node) - this.#offset;
  }
}
