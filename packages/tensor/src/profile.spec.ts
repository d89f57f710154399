import { profiled, startProfile, stopProfile } from './profile.js';

it('counts calls and their time by operator, the longest first', () => {
  // Each call begins and ends at the next two of these times.
  const times = [0, 1, 1, 21, 21, 22];
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => times.shift()!);
  startProfile();
  for (const operator of ['fill', 'linear', 'fill'] as const) profiled(operator, () => undefined);
  clock.mockRestore();
  expect(stopProfile()).toEqual([
    { operator: 'linear', calls: 1, milliseconds: 20 },
    { operator: 'fill', calls: 2, milliseconds: 2 },
  ]);
});

it('counts nothing where it was not started, and anew where it was', () => {
  let calls = 0;
  profiled('fill', () => calls++);
  expect([calls, stopProfile()]).toEqual([1, []]);
  startProfile();
  profiled('fill', () => calls++);
  startProfile();
  expect([calls, stopProfile()]).toEqual([2, []]);
});
