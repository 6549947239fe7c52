// Puts what is new to what is known already, so that a chart that stays open asks only for that.

const namesOf = (answer) => answer.charts.map((chart) => chart.lines.map((line) => line.object).join()).join("|");

// Whether the newer answer has the same lines, and no hole between it and the older one.
export const follows = (known, newer) =>
  known.grain === newer.grain && known.step === newer.step && namesOf(known) === namesOf(newer)
  && Boolean(known.state) === Boolean(newer.state)
  && newer.times.length > 0 && newer.times[0] <= known.newest + known.step;

// The known answer with the newer one at its end, as long as it was. What both have is the newer's.
export const merged = (known, newer) => {
  const kept = known.times.filter((each) => each < newer.times[0]);
  const begin = newer.to - (known.to - known.from);
  const from = Math.max(0, kept.findIndex((each) => each >= begin));
  const join = (old, fresh) => [...old.slice(from, kept.length), ...fresh];
  return {
    ...newer,
    from: begin,
    kept: known.kept,
    times: join(known.times, newer.times),
    charts: newer.charts.map((chart, at) => ({
      ...chart,
      lines: chart.lines.map((line, place) => ({ ...line, values: join(known.charts[at].lines[place].values, line.values) })),
    })),
    state: newer.state && { ...newer.state, values: join(known.state.values, newer.state.values) },
  };
};
