import { profiled, startProfile, stopProfile } from './profile.js';

const wait = (milliseconds: number): void => {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
};

it('counts calls and their time by operator, the longest first', () => {
  startProfile();
  profiled('fill', () => wait(1));
  profiled('linear', () => wait(20));
  profiled('fill', () => wait(1));
  const [first, second, ...others] = stopProfile();
  expect(first).toMatchObject({ operator: 'linear', calls: 1 });
  expect(second).toMatchObject({ operator: 'fill', calls: 2 });
  expect(second.milliseconds).toBeGreaterThanOrEqual(2);
  expect(others).toEqual([]);
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
