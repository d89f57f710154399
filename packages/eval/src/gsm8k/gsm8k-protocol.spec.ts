import { MATH_STYLES } from './gsm8k-protocol.js';

it('the protocols have the sizes of their originals', () => {
  expect(MATH_STYLES.opencompass).toMatchObject({ numShots: 4, maxNewTokens: 512, usual: 'flexible' });
  expect(MATH_STYLES['lm-eval']).toMatchObject({ numShots: 5, maxNewTokens: 256, usual: 'strict' });
});
