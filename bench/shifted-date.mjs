// Preloaded (--import): Date is SHIFT_DATE_MS ahead, for programs that shall believe in another day.
const by = Number(process.env.SHIFT_DATE_MS ?? 0);
const Real = Date;

class Shifted extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + by);
    else super(...given);
  }
  static now() {
    return Real.now() + by;
  }
}

globalThis.Date = Shifted;
