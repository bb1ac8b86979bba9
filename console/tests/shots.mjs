import { chromium } from 'playwright-core';
const url = process.argv[2] ?? 'http://127.0.0.1:8702/';
const out = '/tmp/shots/';
import { mkdirSync } from 'node:fs'; mkdirSync(out, {recursive:true});
const b = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox','--disable-gpu'] });
for (const [name, opt] of Object.entries({
  desk: { viewport:{width:1280,height:900}, locale:'en-GB', colorScheme:'light' },
  deskdarkru: { viewport:{width:1280,height:900}, locale:'ru-RU', colorScheme:'dark' },
  phone: { viewport:{width:360,height:780}, locale:'ru-RU', colorScheme:'light', deviceScaleFactor:2 },
})) {
  const c = await b.newContext(opt); const p = await c.newPage();
  p.on('console', m => m.type()==='error' && console.log(name, m.text())); p.on('pageerror', e => console.log(name, e.message));
  await p.goto(url); await p.waitForSelector('.model');
  await p.screenshot({path: out+name+'-0.png', fullPage:true});
  await p.click(name==='desk' ? '.samples [lang=en]' : '.samples [lang=ru]');
  if (name!=='desk') await p.selectOption('.editor select', 'tiny-bge-m3').catch(()=>{});
  else await p.selectOption('.editor select', 'all-MiniLM-L6-v2').catch(()=>{});
  await p.click('.editor .primary');
  await p.waitForSelector('.heat td.self'); await p.waitForTimeout(2500);
  await p.hover('[data-at="0,3"]');
  await p.screenshot({path: out+name+'-1heat.png', fullPage:true});
  await p.click('#tab-map'); await p.waitForSelector('.point'); await p.focus('.point:nth-of-type(3)');
  await p.screenshot({path: out+name+'-2map.png', fullPage:true});
  await p.click('#tab-search'); await p.click('.search .primary'); await p.waitForSelector('.hits tbody tr');
  if (await p.$('.query-tokens button')) await p.hover('.query-tokens button:nth-child(3)');
  await p.screenshot({path: out+name+'-3search.png', fullPage:true});
  await p.click('#tab-tokens'); await p.click('.panel .primary'); await p.waitForSelector('.chips');
  await p.click('.snippet summary');
  await p.screenshot({path: out+name+'-4tokens.png', fullPage:true});
  console.log(name, await p.evaluate(() => [document.documentElement.scrollWidth, innerWidth]));
  await c.close();
}
await b.close();
