"""How pages look: quiet, in light and in dark, on paper and on a telephone."""

STYLE = """
:root{color-scheme:light dark;--paper:#fcfcfa;--ink:#1f272c;--quiet:#5b676f;--rule:#dfe3e5;--mark:#1f6f8b;
--alarm:#b3421e;--critical:#9b1c2e;--band:#1f6f8b1c;--wash:#f1f3f2}
@media(prefers-color-scheme:dark){:root{--paper:#14181b;--ink:#e4e9eb;--quiet:#9ba8af;--rule:#2d363b;--mark:#74bcd3;
--alarm:#f29a6b;--critical:#ff8795;--band:#74bcd322;--wash:#1b2124}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans",sans-serif}
main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.15rem;font-weight:600;margin:0;color:var(--quiet)}
h2{font-size:1.2rem;margin:3rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:0 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
.judgement{font-size:1.45rem;line-height:1.35;margin:.5rem 0 1.25rem;max-width:44rem;text-wrap:pretty}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:0;color:var(--quiet);font-size:.9rem}
.facts div{display:flex;gap:.5em}.facts dd{margin:0;color:var(--ink)}
.note,figcaption,caption{color:var(--quiet);font-size:.875rem}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:2.25rem 2.5rem;
align-items:start}
figure{margin:0}figcaption{margin-top:.4rem}
svg{display:block;width:100%;height:auto;max-width:34rem}
svg text{font-size:12.5px;fill:var(--ink);font-variant-numeric:tabular-nums}
svg .tick{fill:var(--quiet);font-size:11.5px;text-anchor:middle}
svg .on{fill:var(--mark);font-size:10px}
svg .name,svg .value,svg .end{text-anchor:end}svg .start{text-anchor:start}svg .mid{text-anchor:middle}
.grid{stroke:var(--rule)}.zero{stroke:var(--quiet)}.band{fill:var(--band)}
.ideal{stroke:var(--quiet);stroke-dasharray:4 4}.path{stroke:var(--mark);stroke-opacity:.35;stroke-width:1.5}
.reach{stroke:var(--mark);stroke-width:1.75}.dot{fill:var(--mark);stroke:var(--mark);stroke-width:1.5}
.bar{fill:var(--mark);fill-opacity:.45}
.few .dot{fill:var(--paper)}
.alarm .reach,.alarm .dot{stroke:var(--alarm)}.alarm .bar{fill:var(--alarm)}.some.alarm .dot{fill:var(--alarm)}
svg .alarm text{fill:var(--alarm);font-weight:600}
.scroll{overflow-x:auto;margin:.5rem 0 1.5rem}
.scroll:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
table{border-collapse:collapse;font-size:.9rem;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:0 0 .5rem;caption-side:top}
th,td{padding:.32rem .75rem .32rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule)}
thead th{color:var(--quiet);font-weight:500;white-space:nowrap}
tbody th{font-weight:500}
.numbers td,.numbers thead th+th{text-align:right;white-space:nowrap}
.numbers tbody th{min-width:12rem}
.numbers td:last-child,.numbers th:last-child{padding-right:0}
.worded td:nth-child(2){white-space:nowrap;text-align:left}
.worded tbody th{white-space:nowrap}
.badge{display:inline-block;font-size:.8rem;font-weight:600;padding:.05rem .5rem;border-radius:1rem;
border:1px solid currentColor;white-space:nowrap}
.warning{color:var(--alarm)}.critical{color:var(--critical)}.info,.sound{color:var(--quiet)}
.findings{list-style:none;padding:0;margin:0}.findings li{padding:.55rem 0;border-bottom:1px solid var(--rule);
max-width:54rem}
.findings li:last-child{border:0}
@media(max-width:36rem){main{padding:1.25rem 1rem 3rem}.judgement{font-size:1.2rem}h2{margin-top:2rem}
th,td{padding-right:.6rem}.numbers tbody th{min-width:8.5rem}}
@media print{.scroll{overflow:visible}h2,figure{break-after:avoid;break-inside:avoid}}
""".strip()
