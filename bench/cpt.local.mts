// usage: tsx /tmp/cpt.mts <kind tasks|requests|get> dist-root...   prints CPU µs per unit: main thread and whole process
import { readFileSync, readdirSync } from 'node:fs'
const B='/work/wt/ahead/bench/load/'
const { Server } = await import(B+'server.ts'); const { each, sendAll, withConnections } = await import(B+'client.ts')
const { layered, flat } = await import(B+'graphs.ts'); const { submissions, get } = await import(B+'requests.ts') as any
const kind=process.argv[2]; const roots=process.argv.slice(3); const rounds=Number(process.env.R??3)
const cpu=(pid:number)=>{const out:any={};for(const t of readdirSync(`/proc/${pid}/task`)){const s=readFileSync(`/proc/${pid}/task/${t}/stat`,'latin1');const f=s.slice(s.lastIndexOf(')')+2).split(' ');out[t]=[Number(f[11])*10000,Number(f[12])*10000]}return out}
const settled=async(port:number,n:number)=>{for(;;){const m:any=await (await fetch(`http://127.0.0.1:${port}/metrics`,{headers:{accept:'application/json'}})).json();if(m.tasks_succeeded>=n)return;await new Promise(r=>setTimeout(r,10))}}
const res:any={}
for(let r=0;r<rounds;r++)for(const root of roots){
  const server=await Server.start({command:process.execPath,args:[...(process.env.NF??'').split(' ').filter(Boolean),root+'/dist/src/cli.js']})
  const [N,per,warmN,make,conns]=kind==='tasks'?[1500,100,400,(p:string)=>layered(p,10,10,'durable'),8]:[15000,1,3000,(p:string)=>flat(p,1,(process.env.D??'durable') as any),32]
  const warm=submissions(warmN,(at:number)=>make(`w${at}`)); const meas=submissions(N,(at:number)=>make(`g${at}`))
  await withConnections(server.port,conns as number,async(c:any)=>{
    await sendAll(c,each(warm),202); await settled(server.port,(warmN as number)*(per as number))
    const a=cpu(server.pid); const t0=performance.now()
    await sendAll(c,each(meas),202); await settled(server.port,((warmN as number)+(N as number))*(per as number))
    const t1=performance.now(); const b=cpu(server.pid)
    const units=(N as number)*(per as number)
    const main=b[server.pid].map((x:number,i:number)=>(x-a[server.pid][i])/units)
    let all=0;for(const t in b)all+=(b[t][0]+b[t][1])-((a[t]?.[0]??0)+(a[t]?.[1]??0))
    ;(res[root]??=[]).push([main[0],main[1],all/units,units/(t1-t0)*1000])
  })
  await server.stop()
}
for(const root of roots){const med=(i:number)=>res[root].map((x:any)=>x[i]).sort((p:number,q:number)=>p-q)[res[root].length>>1];console.log(root.padEnd(20),'main user',med(0).toFixed(2),'sys',med(1).toFixed(2),'process',med(2).toFixed(2),'µs;',Math.round(med(3)),'/s')}
process.exit(0)
